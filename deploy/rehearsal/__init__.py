"""Rehearsals: the synthetic nation and its truth, scenarios of a round, load and benchmarks. No real person's data."""
