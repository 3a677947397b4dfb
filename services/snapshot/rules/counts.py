"""Who is counted: pupils of a school by grade, sex and reason, from its document, its state and dedup's outcomes.

A pupil is counted or has exactly one reason why not, so counted + Σ reasons = pupils always. Counts exist two ways: this one
by columns (`judged`, `summarise`, `apply_outcomes`), and `recounting.py` line by line; they share no code beyond the order of the
reasons, and a round is sealed only when they agree. Not here: what is paid (`budget.py`).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import polars as pl

from services.contracts.roster.codes import grades

COUNTED = ""
NOT_CERTIFIED, CANNOT_DISCHARGE, UNDER_AGE = "not-certified", "cannot-discharge", "under-age"
DUPLICATE_LOST, DUPLICATE_UNDECIDED = "duplicate-lost", "duplicate-undecided"

REASONS = (NOT_CERTIFIED, DUPLICATE_LOST, DUPLICATE_UNDECIDED, CANNOT_DISCHARGE, UNDER_AGE)
"""In order of precedence: of several reasons a pupil gets the first."""

COUNTED_STATES = ("certified", "acknowledged")
"""A school in any other state at closing is in the snapshot with its pupils, none of them counted."""

COLUMNS_COUNTED = ("grade", "sex", "birth_date", "cannot_discharge_yet")
"""The fields that decide how a pupil is counted."""

MIN_AGE = 4
"""Full years on 16 May of the academic year; younger children are neither funded nor counted (OBEC notice of 2556).
Schools with an approved class for three-year-olds are said to be excepted; no list of them is public, so none is."""

GRADES = tuple(grade.label for grade in grades())
SEXES = ("ช", "ญ")
_ORDER = {reason: rank for rank, reason in enumerate((*REASONS, COUNTED))}

Key = tuple[str, str, str]
"""(grade, sex, reason); grade and sex are "" where the document has no known value, reason is "" for counted."""


class CountsDisagree(ValueError):
    """Numbers that must be equal are not; the text names what, never a pupil."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How many pupils by (grade, sex, reason), in school order of the grades; no entry is 0."""

    cells: tuple[tuple[Key, int], ...] = ()

    @classmethod
    def of(cls, counts: Mapping[Key, int]) -> Summary:
        """Raises CountsDisagree for a negative count."""
        if any(number < 0 for number in counts.values()):
            raise CountsDisagree("fewer than no pupils")
        kept = [(key, number) for key, number in counts.items() if number]
        return cls(tuple(sorted(kept, key=lambda cell: _rank(cell[0]))))

    @property
    def pupils(self) -> int:
        return sum(number for _, number in self.cells)

    @property
    def counted(self) -> int:
        return sum(number for (_, _, reason), number in self.cells if reason == COUNTED)

    @property
    def not_counted(self) -> dict[str, int]:
        """Every reason with its number of pupils, also those with none."""
        found = Counter[str]()
        for (_, _, reason), number in self.cells:
            found[reason] += number
        return {reason: found[reason] for reason in REASONS}

    def heads(self) -> dict[str, int]:
        """Counted pupils by grade ("": of no known grade)."""
        found = Counter[str]()
        for (grade, _, reason), number in self.cells:
            if reason == COUNTED:
                found[grade] += number
        return dict(found)

    def to_plain(self) -> list[list[str | int]]:
        """Compact and JSON-able: [[grade, sex, reason, pupils], …]."""
        return [[*key, number] for key, number in self.cells]

    @classmethod
    def from_plain(cls, data: Iterable[Sequence[Any]]) -> Summary:
        return cls.of({(grade, sex, reason): number for grade, sex, reason, number in data})


@dataclass(frozen=True, slots=True)
class Row:
    """What counting knows of one line (1-based) of a document before any outcome."""

    line: int
    grade: str
    sex: str
    reason: str


def judged(frames: Sequence[pl.DataFrame], age_day: date) -> list[tuple[Row, ...]]:
    """Every line of many canonical documents, as if their schools were certified and no pupil a duplicate, in one pass.

    `age_day`: `RoundPlan.age_day`. A birth date that cannot be read makes nobody under age.
    """
    if not frames:
        return []
    merged = pl.concat([frame.select(COLUMNS_COUNTED) for frame in frames])
    values = iter(merged.select(*_key_columns(age_day)).rows())
    return [
        tuple(
            Row(line, *of_line)
            for line, of_line in enumerate(itertools.islice(values, frame.height), start=1)
        )
        for frame in frames
    ]


def summarise(rows: Iterable[Row]) -> Summary:
    """The counts of one document's lines."""
    return Summary.of(Counter((row.grade, row.sex, row.reason) for row in rows))


def cells_of(rows: Iterable[Row], summary: Summary) -> bytes:
    """Of each line, which of the summary's cells counts it: a byte each. There are 171 kinds of cells at most."""
    numbers = {key: number for number, (key, _) in enumerate(summary.cells)}
    return bytes(numbers[row.grade, row.sex, row.reason] for row in rows)


def rows_at(cells: Sequence[Key], line_cells: bytes, lines: Iterable[int]) -> tuple[Row, ...]:
    """What was made of these lines, each once, in order; from the cells in the order in which they were kept, and what `cells_of` said
    of them then. Raises CountsDisagree for a line that is not there."""
    wanted = sorted(set(lines))
    if wanted and not 1 <= wanted[0] <= wanted[-1] <= len(line_cells):
        raise CountsDisagree("an outcome names a line that the document does not have")
    if wanted and max(line_cells) >= len(cells):
        raise CountsDisagree("a line is counted in no cell")
    return tuple(Row(line, *cells[line_cells[line - 1]]) for line in wanted)


def apply_outcomes(summary: Summary, rows: Iterable[Row], outcomes: Iterable[tuple[int, str]]) -> Summary:
    """The counts after dedup's outcomes (line, reason); `rows` has every line named (`rows_at`)."""
    counts = Counter(dict(summary.cells))
    known = {row.line: row for row in rows}
    for line, reason in one_each(outcomes).items():
        if line not in known:
            raise CountsDisagree("an outcome names a line that was not looked up")
        row = known[line]
        counts[(row.grade, row.sex, row.reason)] -= 1
        counts[(row.grade, row.sex, first_of(row.reason, reason))] += 1
    return Summary.of(counts)


def merge_lines(
    own: Iterable[tuple[int, str]], outcomes: Iterable[tuple[int, str]]
) -> tuple[tuple[int, str], ...]:
    """Every line of a counted school that is not counted, in order, with its one reason: the pupil's own (`Row.reason`)
    or dedup's outcome, whichever comes first in precedence."""
    merged = dict(own)
    for line, reason in one_each(outcomes).items():
        merged[line] = first_of(merged.get(line, COUNTED), reason)
    return tuple(sorted(merged.items()))


def for_state(summary: Summary, state: str) -> Summary:
    """The counts of a school that stood in `state` at closing: all of them, or none of its pupils counted."""
    if state in COUNTED_STATES:
        return summary
    counts = Counter[Key]()
    for (grade, sex, _), number in summary.cells:
        counts[(grade, sex, NOT_CERTIFIED)] += number
    return Summary.of(counts)


def total(summaries: Iterable[Summary]) -> Summary:
    """The sum of many schools."""
    counts = Counter[Key]()
    for summary in summaries:
        counts.update(dict(summary.cells))
    return Summary.of(counts)


def _key_columns(age_day: date) -> list[pl.Expr]:
    """Columns grade, sex and reason. Born after the same day four years earlier = under age."""
    last_birthday = date(age_day.year - MIN_AGE, age_day.month, age_day.day)
    text = pl.col("birth_date")
    born = pl.when(text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")).then(text)
    under_age = (born.str.to_date("%Y-%m-%d", strict=False) > last_birthday).fill_null(False)
    return [
        pl.when(pl.col("grade").is_in(GRADES)).then(pl.col("grade")).otherwise(pl.lit("")).alias("grade"),
        pl.when(pl.col("sex").is_in(SEXES)).then(pl.col("sex")).otherwise(pl.lit("")).alias("sex"),
        pl.when(pl.col("cannot_discharge_yet") == "1")
        .then(pl.lit(CANNOT_DISCHARGE))
        .when(under_age)
        .then(pl.lit(UNDER_AGE))
        .otherwise(pl.lit(COUNTED))
        .alias("reason"),
    ]


def one_each(outcomes: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Line → its outcome; of several (one pupil in two cases) the first in precedence."""
    settled: dict[int, str] = {}
    for line, reason in outcomes:
        if reason not in (DUPLICATE_LOST, DUPLICATE_UNDECIDED):
            raise CountsDisagree(f"{reason!r} is no outcome of a duplicate case")
        settled[line] = first_of(settled.get(line, COUNTED), reason)
    return settled


def first_of(one: str, other: str) -> str:
    """Of two reasons the one that comes first in precedence."""
    return min(one, other, key=_ORDER.__getitem__)


@cache
def _rank(key: Key) -> tuple[int, str, int]:
    grade, sex, reason = key
    return (GRADES.index(grade) if grade in GRADES else len(GRADES), sex, _ORDER[reason])
