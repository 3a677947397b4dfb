"""The second way of counting: each document line by line from its bytes when it arrives, and its lines once more at closing.

It shares with `counts.py` what the reasons are and which comes first, and nothing of how lines are read, judged and summed. On the way
every line is held against the document's extract, which was written by columns.
"""

from __future__ import annotations

import csv
import io
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.contracts.roster import extract
from services.contracts.roster.canonical import MAX_UNPACKED
from services.snapshot.rules.counts import (
    CANNOT_DISCHARGE,
    COLUMNS_COUNTED,
    COUNTED,
    COUNTED_STATES,
    GRADES,
    MIN_AGE,
    NOT_CERTIFIED,
    SEXES,
    UNDER_AGE,
    CountsDisagree,
    Key,
    Summary,
    first_of,
    one_each,
)

_DIFFERENT = "the extract is not that of the document"
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class LinesDiffer(ValueError):
    """An extract has other lines than its document; the text never holds a value."""


@dataclass(frozen=True, slots=True)
class Lines:
    """What each line of a document is, as if its school were certified and no pupil a duplicate: `kinds` in the order in which they
    come first, and of each line its kind's number, a byte each."""

    kinds: tuple[Key, ...]
    numbers: bytes

    def to_plain(self) -> list[list[str | int]]:
        """[[grade, sex, reason, pupils], …] in the order of the kinds."""
        pupils = Counter(self.numbers)
        return [[*kind, pupils[number]] for number, kind in enumerate(self.kinds)]

    @classmethod
    def from_plain(cls, cells: Iterable[Sequence[Any]], numbers: bytes) -> Lines:
        """Raises CountsDisagree where the lines are not as many of each kind as the cells say."""
        given = [list(cell) for cell in cells]
        lines = cls(tuple((grade, sex, reason) for grade, sex, reason, _ in given), numbers)
        if given != lines.to_plain() or sum(number for *_, number in given) != len(numbers):
            raise CountsDisagree("the lines are not those that were counted")
        return lines


def read_lines(data: bytes, extracted: bytes, age_day: date) -> Lines:
    """Every line of a canonical document, once its extract is known to have the same. `age_day`: `RoundPlan.age_day`. Raises LinesDiffer."""
    kinds: dict[Key, int] = {}
    numbers = bytearray()
    text = data.decode("utf-8")
    lines = _cells(text)
    header = next(lines)
    held = _held(lines, _picker(header, extract.FIELDS), extracted.decode("utf-8"), quoted='"' in text)
    for grade, sex, born, cannot_discharge in map(_picker(header, COLUMNS_COUNTED), held):
        reason = CANNOT_DISCHARGE if cannot_discharge == "1" else _by_age(born, age_day)
        kind = (grade if grade in GRADES else "", sex if sex in SEXES else "", reason)
        numbers.append(kinds.setdefault(kind, len(kinds)))
    return Lines(tuple(kinds), bytes(numbers))


Picker = Callable[[Sequence[str]], tuple[str, ...]]


def _picker(header: Sequence[str], names: Sequence[str]) -> Picker:
    """What gives of a line the cells below these names; there are several."""
    return operator.itemgetter(*map(header.index, names))


def _held(lines: Iterable[list[str]], kept: Picker, extracted: str, *, quoted: bool) -> Iterator[list[str]]:
    """The document's lines, each once the extract has the same. Where nothing is `quoted` the extract's need not be cut into cells."""
    whole: Callable[[Iterable[str]], object] = tuple if quoted else ",".join
    beside: Iterator[object] = map(tuple, _cells(extracted)) if quoted else iter(_lines(extracted))
    if next(beside, None) != whole(extract.FIELDS):
        raise LinesDiffer(_DIFFERENT)
    for line in lines:
        if next(beside, None) != whole(kept(line)):
            raise LinesDiffer(_DIFFERENT)
        yield line
    if next(beside, None) is not None:
        raise LinesDiffer(_DIFFERENT)


def recount(lines: Lines, state: str, outcomes: Iterable[tuple[int, str]]) -> Summary:
    """The counts of a school that stood in `state` at closing, after dedup's outcomes (line, reason). Raises CountsDisagree."""
    settled = one_each(outcomes)
    if settled and not 1 <= min(settled) <= max(settled) <= len(lines.numbers):
        raise CountsDisagree("an outcome names a line that the document does not have")
    kinds, numbers = {kind: number for number, kind in enumerate(lines.kinds)}, list(lines.numbers)
    for line, outcome in settled.items():
        grade, sex, reason = lines.kinds[numbers[line - 1]]
        numbers[line - 1] = kinds.setdefault((grade, sex, first_of(reason, outcome)), len(kinds))
    pupils, counts = Counter(numbers), Counter[Key]()
    for (grade, sex, reason), number in kinds.items():
        counts[grade, sex, reason if state in COUNTED_STATES else NOT_CERTIFIED] += pupils[number]
    return Summary.of(counts)


def _cells(text: str) -> Iterator[list[str]]:
    """The cells of each line. Where nothing is quoted, as in nearly every document, the commas are all there is to know."""
    if '"' not in text:
        return (line.split(",") for line in _lines(text))
    # A document may hold any text a school sent, also a cell beyond the csv module's own limit of 128 KiB.
    csv.field_size_limit(MAX_UNPACKED)
    return csv.reader(io.StringIO(text, newline=""))


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _by_age(birth_date: str, age_day: date) -> str:
    if not _ISO.fullmatch(birth_date):
        return COUNTED
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return COUNTED
    before_birthday = (age_day.month, age_day.day) < (born.month, born.day)
    return UNDER_AGE if age_day.year - born.year - before_birthday < MIN_AGE else COUNTED
