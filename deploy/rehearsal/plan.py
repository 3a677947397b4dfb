"""What is planted where in one ESA: sizes, forms, wrong files, rules to break, pupils on two rolls.

A plan depends on the seed, the list and the selection of schools, on nothing that another process does: any process
can make the plan of any ESA again. Making the files from it is `school`'s job.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from deploy.rehearsal import sizes, wrong
from deploy.rehearsal.faults import RULES
from deploy.rehearsal.forms import HEADERS, KINDS, Form, Kind
from deploy.rehearsal.identities import Ints
from deploy.rehearsal.register import School
from deploy.rehearsal.rounds import Round
from deploy.rehearsal.truth import Resolution

_FAULTY: Final = 1 / 3
_FAULTS: Final = (1, 5)
_ROOMY: Final = 15  # pupils a school needs so that faults of any rule find room
_DUPLICATES: Final = 0.0075  # of all pupils, held by the borrowing schools
_BORROWING: Final = 0.4
_DONORS: Final = 3
_CSV: Final = (0.36, 0.2, 0.3, 0.14)
_XLSX_LARGEST: Final = {False: 2_500, True: 500}
_EMPTY_FROM: Final = (
    20  # schools an ESA needs for one of them to have no pupils: 0.7 % of the nation's schools
)
_RESOLUTIONS: Final[tuple[Resolution, ...]] = (
    "removed",
    "ours",
    "removed",
    "undecided",
    "removed",
    "ours",
    "removed",
    "ours",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A pupil (place `pupil` among the persons of the school in line `true`) who is also on the roll of line `false`."""

    true: int
    pupil: int
    false: int
    resolution: Resolution


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """One school: `place` is its line in the list, `counts` its own pupils per grade, `guests` and `lent` its share in
    duplicates, `rules` what is broken in its first file, `wrong` the reason its very first file is refused for."""

    place: int
    school: School
    counts: Ints
    form: Form
    wrong: str | None = None
    rules: tuple[str, ...] = ()
    guests: tuple[Pair, ...] = ()
    lent: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Nation:
    """The whole order: the list, the ESAs chosen (lines of their schools), the round and the seed.

    `large` is set when many ESAs are made: workbooks are then rarer and smaller.
    """

    seed: int
    round: Round
    schools: tuple[School, ...]
    esas: tuple[tuple[int, ...], ...]
    large: bool

    def __hash__(self) -> int:
        return hash((self.seed, self.round.name, len(self.schools), self.esas, self.large))

    def random(self, esa: int, purpose: int) -> np.random.Generator:
        """A random stream of one ESA's own."""
        name = self.schools[self.esas[esa][0]].esa
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), purpose])


@lru_cache(maxsize=8)
def sizes_of(nation: Nation, esa: int) -> dict[int, Ints]:
    """Line to pupils per grade of an ESA's schools; in a primary ESA of some size one school has no pupils."""
    places = nation.esas[esa]
    counts = {place: sizes.pupils_per_grade(nation.seed, place, nation.schools[place]) for place in places}
    if len(places) >= _EMPTY_FROM and not nation.schools[places[0]].secondary:
        empty = int(nation.random(esa, 0).choice(places))
        counts[empty] = np.zeros_like(counts[empty])
    return counts


def _open(counts: Ints) -> Ints:
    """Grades of whose pupils duplicates are made: those of a school, less อ.1 (not counted anyway)."""
    return np.flatnonzero(counts[1:]) + 1


def _pupil(rng: np.random.Generator, counts: Ints, grade: int) -> int:
    """The place of one pupil of this grade, the pupils being in grade order."""
    return int(counts[:grade].sum() + rng.integers(counts[grade]))


def across(nation: Nation, esa: int) -> Pair | None:
    """The one pupil of this ESA who is also on a roll of the next ESA; None if there is but one, or no common grade."""
    if len(nation.esas) < 2:
        return None
    following = (esa + 1) % len(nation.esas)
    mine, theirs = sizes_of(nation, esa), sizes_of(nation, following)
    rng = nation.random(esa, 1)
    for _ in range(20):
        true, false = int(rng.choice(nation.esas[esa])), int(rng.choice(nation.esas[following]))
        common = np.intersect1d(_open(mine[true]), _open(theirs[false]))
        if common.size:
            pupil = _pupil(rng, mine[true], int(rng.choice(common)))
            return Pair(true, pupil, false, "ours" if esa % 2 else "removed")
    return None


def _pairs(nation: Nation, esa: int) -> list[Pair]:
    """All duplicates that touch the ESA: within it, one lent to the next ESA, one borrowed from the one before."""
    counts = sizes_of(nation, esa)
    found = [pair for pair in (across(nation, esa), across(nation, (esa - 1) % len(nation.esas))) if pair]
    taken = {(pair.true, pair.pupil) for pair in found}
    rng = nation.random(esa, 2)
    inside = 0
    for false in nation.esas[esa]:
        others = [place for place in nation.esas[esa] if place != false and counts[place].any()]
        borrows = rng.random() < _BORROWING
        wanted = int(rng.binomial(int(counts[false].sum()), _DUPLICATES / _BORROWING)) if borrows else 0
        if not others or not wanted:
            continue
        donors = rng.choice(others, size=min(_DONORS, len(others)), replace=False)
        for true in rng.choice(donors, size=wanted):
            common = np.intersect1d(_open(counts[int(true)]), _open(counts[false]))
            if not common.size:
                continue
            pupil = _pupil(rng, counts[int(true)], int(rng.choice(common)))
            if (int(true), pupil) not in taken:
                taken.add((int(true), pupil))
                found.append(Pair(int(true), pupil, false, _RESOLUTIONS[inside % len(_RESOLUTIONS)]))
                inside += 1
    return found


def _forms(nation: Nation, esa: int) -> dict[int, Form]:
    rng = nation.random(esa, 3)
    places, counts = nation.esas[esa], sizes_of(nation, esa)
    small = [place for place in places if 0 < counts[place].sum() <= _XLSX_LARGEST[nation.large]]
    share = int(len(places) * 0.02) if nation.large else round(len(places) * 0.2)
    workbooks = set(rng.permutation(small)[:share].tolist())
    forms = {}
    for place in places:
        kind: Kind = "xlsx" if place in workbooks else KINDS[int(rng.choice(len(_CSV), p=_CSV))]
        spelling = HEADERS[int(rng.choice(len(HEADERS), p=(0.6, 0.25, 0.15)))]
        forms[place] = Form(kind, spelling, "อบ." if rng.random() < 0.1 else "อ.")
    return forms


def _rules(nation: Nation, esa: int) -> dict[int, tuple[str, ...]]:
    """Which rules each faulty school breaks: dealt from a shuffled deck, so that every rule is broken in the ESA if its
    schools can hold them all."""
    rng = nation.random(esa, 4)
    counts = sizes_of(nation, esa)
    order = [int(place) for place in rng.permutation(nation.esas[esa])]
    roomy = [place for place in order if counts[place].sum() >= _ROOMY]
    chosen = roomy[: max(1, -(-len(order) // round(1 / _FAULTY)))]
    numbers = rng.integers(_FAULTS[0], _FAULTS[1] + 1, size=len(chosen))
    if numbers.sum() < len(RULES):
        chosen = roomy[: max(len(chosen), -(-len(RULES) // _FAULTS[1]))]
        numbers = np.full(len(chosen), _FAULTS[1])
    deck = [RULES[place] for place in rng.permutation(len(RULES))]
    dealt, start = {}, 0
    for place, number in zip(chosen, numbers, strict=True):
        dealt[place] = tuple(deck[(start + step) % len(deck)] for step in range(int(number)))
        start += int(number)
    return dealt


def _wrong(nation: Nation, esa: int) -> dict[int, str]:
    """Which schools send a file first that cannot be read; each reason at most once in an ESA."""
    rng = nation.random(esa, 5)
    counts = sizes_of(nation, esa)
    some = [
        int(place) for place in rng.permutation(nation.esas[esa]) if 1 < counts[int(place)].sum() <= 1_000
    ]
    reasons = rng.permutation(len(wrong.REASONS))[: max(1, len(nation.esas[esa]) // len(wrong.REASONS))]
    return {place: wrong.REASONS[int(reason)] for place, reason in zip(some, reasons, strict=False)}


@lru_cache(maxsize=4)
def plan(nation: Nation, esa: int) -> tuple[SchoolPlan, ...]:
    """The plan of one ESA (its place in `nation.esas`), its schools in the order of the list."""
    counts, forms, rules, refused = (
        sizes_of(nation, esa),
        _forms(nation, esa),
        _rules(nation, esa),
        _wrong(nation, esa),
    )
    plans = {
        place: SchoolPlan(
            place,
            nation.schools[place],
            counts[place],
            forms[place],
            refused.get(place),
            rules.get(place, ()),
        )
        for place in nation.esas[esa]
    }
    for pair in _pairs(nation, esa):
        if pair.false in plans:
            plans[pair.false] = replace(plans[pair.false], guests=(*plans[pair.false].guests, pair))
        if pair.true in plans:
            plans[pair.true] = replace(plans[pair.true], lent=(*plans[pair.true].lent, pair))
    return tuple(plans.values())


def counts_of(nation: Nation, place: int) -> Ints:
    """Pupils per grade of a school in any ESA, as its own ESA's plan has them (only asked of schools that lend pupils,
    and a school without pupils lends none)."""
    return sizes.pupils_per_grade(nation.seed, place, nation.schools[place])
