"""Schools in pages: so many together as one pass is worth, admitted against the seal, and turned into lines of the package's two files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from services.contracts.roster import canonical, extract
from services.export.rules import layout
from services.export.rules.frames import Frame
from services.export.rules.layout import SchoolFacts, Term
from services.export.rules.sealed import Audit, damaged

BYTES_TOGETHER, SCHOOLS_TOGETHER = 8 * 1024 * 1024, 1000
"""Of plain extracts in one pass, some forty thousand pupils: with an eighth of that a pass costs half as much again by what it costs
to begin one, and more would be memory; and schools, of which many may have none."""


@dataclass(frozen=True, slots=True)
class Page:
    """Schools in their order (`packed` is gone from their frames), and the extracts of those that have one."""

    frames: Sequence[Frame]
    extracts: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Lines:
    """A page in the files: lines of schools.csv and of students.csv, and how many they are."""

    schools: bytes
    school_rows: int
    students: bytes
    student_rows: int


def pages(frames: Iterable[Frame], audit: Audit) -> Iterator[Page]:
    """Raises PackageFault."""
    schools: list[Frame] = []
    extracts: list[bytes] = []
    size = 0
    for frame in frames:
        plain = audit.admit(frame)
        schools.append(replace(frame, packed=b""))
        if plain:
            extracts.append(plain)
            size += len(plain)
        if size >= BYTES_TOGETHER or len(schools) >= SCHOOLS_TOGETHER:
            yield Page(schools, extracts)
            schools, extracts, size = [], [], 0
    if schools:
        yield Page(schools, extracts)


def lines_of(page: Page, facts: Mapping[str, SchoolFacts], term: Term) -> Lines:
    """`facts`: by school, where any are known. Raises PackageFault."""
    unknown = SchoolFacts()
    schools = [layout.school_row(one, facts.get(one.school, unknown), term) for one in page.frames]
    students = _student_rows(page, term)
    # Where nothing had to be quoted for what is in it, the same cells need no quotes in the package.
    quotes = any(b'"' in one for one in page.extracts)
    return Lines(_written(schools), len(schools), _written_many(students, quotes=quotes), students.height)


def header_line(columns: Iterable[layout.Column]) -> bytes:
    return _written([layout.names(columns)])


def _student_rows(page: Page, term: Term) -> pl.DataFrame:
    try:
        roster = extract.read_many(page.extracts)
    except canonical.NotCanonical as problem:
        raise damaged("its form") from problem
    counted = [frame for frame in page.frames if frame.counted]
    if roster.height != sum(frame.pupils for frame in counted):
        raise damaged("the number of pupils")
    return layout.student_rows(roster, counted, term)


def _written(rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


def _written_many(rows: pl.DataFrame, *, quotes: bool) -> bytes:
    buffer = io.BytesIO()
    rows.write_csv(
        buffer,
        include_header=False,
        line_terminator="\n",
        quote_style="necessary" if quotes else "never",
    )
    return buffer.getvalue()
