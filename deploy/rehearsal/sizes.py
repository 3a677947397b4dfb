"""How many pupils a school has and in which grades, calibrated on the national totals (domain reference §8).

A school's numbers depend on the seed and its place in the list alone. Who the pupils are is `pupils`' job.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from deploy.rehearsal.identities import Ints
from deploy.rehearsal.register import School

GRADES: Final = (
    "อ.1", "อ.2", "อ.3", "ป.1", "ป.2", "ป.3", "ป.4", "ป.5", "ป.6",
    "ม.1", "ม.2", "ม.3", "ม.4", "ม.5", "ม.6", "ปวช.1", "ปวช.2", "ปวช.3",
)  # fmt: skip
LARGEST: Final = 5_000
BOYS: Final = 0.521

_PRIMARY_MEDIAN, _PRIMARY_SIGMA = 109.0, 0.92
_SECONDARY_MEDIAN, _SECONDARY_SIGMA = 500.0, 1.15
# Relative numbers of pupils per grade in a school that offers it; อ.1 only in a quarter of the kindergartens.
_WEIGHTS: Final = np.array([0.6, 0.8, 0.85, *[1.0] * 6, 1.2, 1.15, 1.1, 0.9, 0.85, 0.8, 0.15, 0.15, 0.15])
_FIRST_KINDERGARTEN: Final = 0.25
_VOCATIONAL: Final = 0.04
_UNEVEN: Final = 12.0  # concentration of the Dirichlet draw: how unlike each other a school's grades are
_ROOM: Final = {"อ": 30, "ป": 38, "ม": 40}


def stream(seed: int, school: int, purpose: int) -> np.random.Generator:
    """A random stream of one school's own: what it gives depends on no other school and no process."""
    return np.random.default_rng(np.random.SeedSequence([seed, school, purpose]))


def offered(levels: str, rng: np.random.Generator) -> Ints:
    """Places in `GRADES` that a school teaching these levels offers; blank levels are read as primary."""
    low, high = (3, 9)
    if levels.startswith("อนุบาล") or not levels:
        low = 0 if rng.random() < _FIRST_KINDERGARTEN else 1
    elif levels.startswith("มัธยม"):
        low = 9
    if levels.endswith("ตอนต้น"):
        high = 12
    elif levels.endswith("ตอนปลาย"):
        high = 18 if rng.random() < _VOCATIONAL else 15
    return np.arange(low, high)


def pupils_per_grade(seed: int, place: int, school: School) -> Ints:
    """Pupils of each of the 18 grades, shape (18,): at least one pupil in all, 5,000 at most.

    `place` is the school's line in the list. Schools without pupils are chosen by `plan`.
    """
    rng = stream(seed, place, 0)
    median, sigma = (
        (_SECONDARY_MEDIAN, _SECONDARY_SIGMA) if school.secondary else (_PRIMARY_MEDIAN, _PRIMARY_SIGMA)
    )
    size = int(np.clip(round(rng.lognormal(np.log(median), sigma)), 4, LARGEST))
    grades = offered(school.levels, rng)
    shares = rng.dirichlet(_WEIGHTS[grades] * _UNEVEN)
    counts = np.zeros(len(GRADES), dtype=np.int64)
    counts[grades] = rng.multinomial(size, shares)
    return counts


def rooms(count: int, grade: str) -> int:
    """How many rooms a grade of this many pupils is taught in."""
    return max(1, -(-count // _ROOM.get(grade[0], 40)))
