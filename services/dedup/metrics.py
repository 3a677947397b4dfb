"""Dedup's own metrics."""

from __future__ import annotations

from services.kit.catalogue import gauge

CASES = gauge(
    "tabian_cases",
    "Cases of children on two rolls, of rounds that are not sealed, by age since they were found (round clock); state open | decided",
    ("state", "age"),
    unit="cases",
    served="dedup's relay",
)
