"""The roster as a value: its fields, code tables, identity numbers, canonical bytes and differences."""
