"""A load cut into portions that follow one another, each with schools of every size: what the first costs and what the last
costs differs by what was loaded in between, and by nothing else.

Not here: sending them, and how long that takes (`gateway.cli.bench.rolls`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.rehearsal.truth import SchoolTruth

TENTH, HUNDREDTH = 10, 100
WORTH_A_PORTION: Final = 10
"""So many schools a hundredth must have: fewer tell nothing."""
_GOLDEN: Final = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Portion:
    """Schools that send one after the other; `name`: hundredth, first, middle or last."""

    name: str
    schools: Sequence[SchoolTruth]


def portions(schools: Iterable[SchoolTruth]) -> list[Portion]:
    """Every school that sends anything, once: a hundredth (of many schools only), the first tenth, the middle, and a last
    portion of as many schools as the first. Raises ValueError for fewer than three schools."""
    mixed = fairly_mixed(school for school in schools if school.uploads)
    if len(mixed) < 3:
        raise ValueError(f"{len(mixed)} schools make no three portions")
    tenth, hundredth = max(1, len(mixed) // TENTH), len(mixed) // HUNDREDTH
    before = hundredth if hundredth >= WORTH_A_PORTION else 0
    middle, last = before + tenth, len(mixed) - tenth
    cut = {
        "hundredth": mixed[:before],
        "first": mixed[before:middle],
        "middle": mixed[middle:last],
        "last": mixed[last:],
    }
    return [Portion(name, part) for name, part in cut.items() if part]


def fairly_mixed(schools: Iterable[SchoolTruth]) -> list[SchoolTruth]:
    """In an order of which every stretch has small and large schools, and workbooks, as all of them have: multiples of the
    golden section fill 0 to 1 evenly however many there are, and each school's place among the sizes takes one. The
    same schools are always in the same order."""
    ranked = sorted(schools, key=lambda school: (_workbook(school), school.pupils, school.code))
    middle = len(ranked) // 2
    places = {school.code: (rank - middle) * _GOLDEN % 1 for rank, school in enumerate(ranked)}
    return sorted(ranked, key=lambda school: places[school.code])


def _workbook(school: SchoolTruth) -> bool:
    """Whether the roll costs what a workbook does, several times a text's."""
    return school.last.file.endswith(".xlsx")
