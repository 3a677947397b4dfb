"""The five services of Tabian, what they share at run time (kit) and what they say to each other (contracts)."""
