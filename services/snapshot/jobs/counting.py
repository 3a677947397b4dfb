"""Counting the schools of a manifest in bulk, two ways that share nothing but the documents and the outcomes.

Each knows of every line what it was when its document arrived, so that no document is read again. The first takes what was
counted by columns and moves the lines that dedup named; the second sums in the database what was counted line by
line, and goes once more through all lines of the documents with outcomes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.contracts.dedup import Outcome
from services.contracts.intake import ManifestEntry
from services.kit.database import Transaction
from services.snapshot.rules.closing import NotNow
from services.snapshot.rules.counts import (
    COUNTED_STATES,
    NOT_CERTIFIED,
    CountsDisagree,
    Summary,
    apply_outcomes,
    for_state,
    merge_lines,
    rows_at,
)
from services.snapshot.rules.recounting import Lines, recount
from services.snapshot.tables import documents
from services.snapshot.tables.documents import Counts

SCHOOLS_PER_PAGE = 1000
Named = Mapping[str, Sequence[tuple[int, str]]]
"""School → the (line, reason) of every outcome."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One school's counts; of a counted school also each line (1-based) that is not, with its reason."""

    summary: Summary
    lines: tuple[tuple[int, str], ...] = ()

    def lines_json(self) -> str:
        return json.dumps(self.lines, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Page:
    """Some schools of a manifest, and the outcomes of all."""

    closure: str
    age_day: date
    entries: Sequence[ManifestEntry]
    outcomes: Named

    @property
    def concerned(self) -> list[tuple[ManifestEntry, str]]:
        """Those with outcomes, and the document of each."""
        return [(e, e.sha256) for e in self.entries if e.sha256 is not None and e.school in self.outcomes]


def count_first(tx: Transaction, page: Page) -> dict[str, Counted]:
    """By columns. Raises NotNow `counts-disagree` naming a school whose numbers cannot be."""
    known = documents.counts(tx, page.age_day, [e.sha256 for e in page.entries if e.sha256 is not None])
    return {
        entry.school: _counted(entry, known[entry.sha256], page.outcomes.get(entry.school, ()))
        if entry.sha256 is not None
        else Counted(Summary())
        for entry in page.entries
    }


def _counted(entry: ManifestEntry, known: Counts, outcomes: Sequence[tuple[int, str]]) -> Counted:
    try:
        rows = rows_at(known.cells, known.line_cells, (line for line, _ in outcomes))
        summary = apply_outcomes(known.summary, rows, outcomes) if outcomes else known.summary
    except CountsDisagree as problem:
        raise _disagree(entry.school) from problem
    if entry.state not in COUNTED_STATES:
        return Counted(for_state(summary, entry.state))
    lines = merge_lines(known.lines, outcomes)
    if len(lines) != summary.pupils - summary.counted:
        raise _disagree(entry.school)
    return Counted(summary, lines)


def count_second(tx: Transaction, page: Page) -> dict[str, Summary]:
    """Line by line. Raises NotNow `counts-disagree` naming a school whose numbers cannot be."""
    simple = [entry.school for entry in page.entries if entry.school not in page.outcomes]
    found = documents.recounted(tx, page.closure, page.age_day, simple, COUNTED_STATES, NOT_CERTIFIED)
    known = documents.recounted_lines(tx, page.age_day, [sha256 for _, sha256 in page.concerned])
    for entry, sha256 in page.concerned:
        try:
            lines = Lines.from_plain(*known[sha256])
            found[entry.school] = recount(lines, entry.state, page.outcomes[entry.school])
        except CountsDisagree as problem:
            raise _disagree(entry.school) from problem
    return found


def by_school(outcomes: Iterable[Outcome]) -> Named:
    named: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for outcome in outcomes:
        named[outcome.school].append((outcome.line, outcome.reason))
    return dict(named)


def _disagree(school: str) -> NotNow:
    return NotNow(
        "counts-disagree",
        f"จำนวนนักเรียนของโรงเรียน {school} ไม่ตรงกัน รอบนี้ยังผนึกไม่ได้",
        f"The counts of school {school} disagree; the round cannot be sealed",
        schools=[school],
    )
