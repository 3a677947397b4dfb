"""What a round's count is worth: baht by school, level and item, from counted pupils and the year's rates.

The table shows the whole amount of a term. How it is paid out (70 % of term 1 in advance) is a note of the rates: the
advance is taken on earlier counts that this system does not have. Every line says how sure its rate is, and no total hides
it. Not here: who is counted (`counts.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.contracts.roster.codes import grade as grade_of
from services.contracts.roster.codes import grades
from services.snapshot.rules.rates import CERTAINTIES, LEVELS, Rate, Rates, TopUp


class NoBudget(ValueError):
    """No money hangs on this round's count (year-end, buildings), or its rates are of another year."""


@dataclass(frozen=True, slots=True)
class Line:
    """`heads` counted pupils at `rate` baht. `grade` is "" unless the item's rate differs by grade within the level."""

    level: str
    grade: str
    item: str
    heads: int
    rate: int
    certainty: str

    @property
    def baht(self) -> int:
        return self.heads * self.rate


@dataclass(frozen=True, slots=True)
class SchoolBudget:
    """One school's lines, and its counted pupils of no known grade, for whom there is no rate."""

    school: str
    lines: tuple[Line, ...]
    heads: int
    heads_without_rate: int

    @property
    def baht(self) -> int:
        return sum(line.baht for line in self.lines)


@dataclass(frozen=True, slots=True)
class Budget:
    """The table of a round. `nation` has the same lines with the heads of all schools together."""

    academic_year: int
    term: int
    schools: tuple[SchoolBudget, ...]
    nation: SchoolBudget
    payment: str

    @property
    def baht(self) -> int:
        return self.nation.baht

    @property
    def by_certainty(self) -> dict[str, int]:
        """Baht by how sure the rates are: verified, derived, recall."""
        return _sums(self.nation, lambda line: line.certainty, CERTAINTIES)

    @property
    def by_level(self) -> dict[str, int]:
        return _sums(self.nation, lambda line: line.level, LEVELS)

    @property
    def by_item(self) -> dict[str, int]:
        items = tuple(dict.fromkeys(line.item for line in self.nation.lines))
        return _sums(self.nation, lambda line: line.item, items)


def budget(
    counts: Mapping[str, Mapping[str, int]], rates: Rates, *, academic_year: int, term: int | None
) -> Budget:
    """The table of a round from `counts`: school → counted pupils by grade (`Summary.heads`). Raises NoBudget."""
    if term not in (1, 2):
        raise NoBudget("no money hangs on this round's count")
    if academic_year != rates.academic_year:
        raise NoBudget(f"the rates are of {rates.academic_year}, the round of {academic_year}")
    charges = tuple(_charges(rates, term))
    top_ups = [top_up for top_up in rates.top_ups if top_up.enabled and _paid(top_up.per, term)]
    schools = tuple(_school(school, counts[school], charges, top_ups) for school in sorted(counts))
    return Budget(academic_year, term, schools, _together(schools), rates.payment[term])


@dataclass(frozen=True, slots=True)
class _Charge:
    """One line every school may have: the grades it counts and their rate."""

    level: str
    grade: str
    item: str
    rate: Rate
    labels: tuple[str, ...]


def _charges(rates: Rates, term: int) -> Iterator[_Charge]:
    for item in rates.items:
        if not _paid(item.per, term):
            continue
        for level in LEVELS:
            labels = tuple(grade.label for grade in grades() if grade.level == level)
            if len({item.by_grade[label] for label in labels}) == 1:
                yield _Charge(level, "", item.key, item.by_grade[labels[0]], labels)
            else:
                yield from (_Charge(level, lb, item.key, item.by_grade[lb], (lb,)) for lb in labels)


def _school(
    school: str, heads: Mapping[str, int], charges: Iterable[_Charge], top_ups: Iterable[TopUp]
) -> SchoolBudget:
    lines = [
        Line(charge.level, charge.grade, charge.item, number, charge.rate.baht, charge.rate.certainty)
        for charge in charges
        if (number := sum(heads.get(label, 0) for label in charge.labels))
    ]
    for top_up in top_ups:
        lines += _top_up_lines(heads, top_up)
    without_rate = sum(number for label, number in heads.items() if grade_of(label) is None)
    return SchoolBudget(school, tuple(lines), sum(heads.values()), without_rate)


def _top_up_lines(heads: Mapping[str, int], top_up: TopUp) -> list[Line]:
    by_level = Counter[str]()
    for label, number in heads.items():
        if grade := grade_of(label):
            by_level[grade.level] += number
    if sum(by_level[level] for level in top_up.levels) > top_up.up_to:
        return []
    return [
        Line(level, "", top_up.key, by_level[level], top_up.rate.baht, top_up.rate.certainty)
        for level in top_up.levels
        if by_level[level]
    ]


def _paid(per: str, term: int) -> bool:
    return per == "term" or term == 1


def _together(schools: Iterable[SchoolBudget]) -> SchoolBudget:
    heads: dict[tuple[str, str, str, int, str], int] = {}
    everyone = without_rate = 0
    for school in schools:
        everyone += school.heads
        without_rate += school.heads_without_rate
        for line in school.lines:
            key = (line.level, line.grade, line.item, line.rate, line.certainty)
            heads[key] = heads.get(key, 0) + line.heads
    lines = [
        Line(level, grade, item, number, rate, certainty)
        for (level, grade, item, rate, certainty), number in heads.items()
    ]
    lines.sort(key=lambda line: (line.item, LEVELS.index(line.level), line.grade))
    return SchoolBudget("", tuple(lines), everyone, without_rate)


def _sums(whole: SchoolBudget, key: Callable[[Line], str], keys: Iterable[str]) -> dict[str, int]:
    found = dict.fromkeys(keys, 0)
    for line in whole.lines:
        found[key(line)] += line.baht
    return found
