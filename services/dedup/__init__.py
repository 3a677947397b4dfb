"""Dedup: finds pupils who stand on the rolls of two schools, keeps the cases and how they are settled."""
