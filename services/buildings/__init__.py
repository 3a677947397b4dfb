"""The buildings service: the yearly round in which schools record buildings and structures (B-OBEC)."""
