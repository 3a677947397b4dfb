"""What the services say to each other: events, the canonical roster, calendar and signed statements. Pure; no I/O."""
