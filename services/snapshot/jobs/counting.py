"""Counting the schools of a manifest in bulk, two ways that share nothing but the documents and the outcomes.

The first sums what was counted by columns when each document arrived, and looks up in the document the lines that
dedup named. The second sums in the database what was counted line by line when it arrived, and counts the documents
with outcomes again from their bytes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from services.contracts.dedup import Outcome
from services.contracts.intake import ManifestEntry
from services.contracts.roster import canonical
from services.kit.database import Transaction
from services.snapshot.rules.closing import NotNow
from services.snapshot.rules.counts import (
    COLUMNS_COUNTED,
    COUNTED_STATES,
    NOT_CERTIFIED,
    CountsDisagree,
    Summary,
    apply_outcomes,
    for_state,
    merge_lines,
    recount,
    rows_at,
)
from services.snapshot.tables import documents

DOCUMENTS_PER_PAGE = 200
Named = Mapping[str, Sequence[tuple[int, str]]]
"""School → the (line, reason) of every outcome."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One school's counts; of a counted school also each line (1-based) that is not, with its reason."""

    summary: Summary
    lines: tuple[tuple[int, str], ...] = ()

    def lines_json(self) -> str:
        return json.dumps(self.lines, separators=(",", ":"))


def count_first(
    tx: Transaction,
    closure_id: str,
    age_day: date,
    entries: Sequence[ManifestEntry],
    outcomes: Sequence[Outcome],
) -> dict[str, Counted]:
    """By columns. Raises NotNow `counts-disagree` naming a school whose numbers cannot be."""
    named = _by_school(outcomes)
    known = {
        sha256: (summary, [(int(line), str(reason)) for line, reason in lines])
        for sha256, summary, lines in documents.counts(tx, closure_id, age_day)
    }
    adjusted = {
        entry.school: _adjusted(entry, known[entry.sha256 or ""][0], data, named[entry.school], age_day)
        for entry, data in _documents(tx, entries, named)
    }
    return {entry.school: _counted(entry, known, named, adjusted) for entry in entries}


def _counted(
    entry: ManifestEntry,
    known: Mapping[str, tuple[Summary, Sequence[tuple[int, str]]]],
    named: Named,
    adjusted: Mapping[str, Summary],
) -> Counted:
    if entry.sha256 is None:
        return Counted(Summary())
    summary, own = known[entry.sha256]
    summary = adjusted.get(entry.school, summary)
    if entry.state not in COUNTED_STATES:
        return Counted(for_state(summary, entry.state))
    lines = merge_lines(own, named.get(entry.school, ()))
    if len(lines) != summary.pupils - summary.counted:
        raise _disagree(entry.school)
    return Counted(summary, lines)


def _adjusted(
    entry: ManifestEntry, summary: Summary, data: bytes, outcomes: Sequence[tuple[int, str]], age_day: date
) -> Summary:
    try:
        # Whether the bytes are canonical was judged when they arrived: four columns of 89 are enough here.
        frame = pl.read_csv(data, columns=list(COLUMNS_COUNTED), infer_schema=False).fill_null("")
        rows = rows_at(frame, (line for line, _ in outcomes), age_day)
        return apply_outcomes(summary, rows, outcomes)
    except CountsDisagree as problem:
        raise _disagree(entry.school) from problem


def count_second(
    tx: Transaction,
    closure_id: str,
    age_day: date,
    entries: Sequence[ManifestEntry],
    outcomes: Sequence[Outcome],
) -> dict[str, Summary]:
    """Line by line. Raises NotNow `counts-disagree` naming a school whose numbers cannot be."""
    named = _by_school(outcomes)
    found = documents.recounted(tx, closure_id, age_day, COUNTED_STATES, NOT_CERTIFIED)
    for entry, data in _documents(tx, entries, named):
        try:
            found[entry.school] = recount(data, age_day, entry.state, named[entry.school])
        except CountsDisagree as problem:
            raise _disagree(entry.school) from problem
    return found


def _documents(
    tx: Transaction, entries: Sequence[ManifestEntry], named: Named
) -> Iterator[tuple[ManifestEntry, bytes]]:
    """The plain bytes of the documents that have outcomes, a page at a time."""
    wanted = [entry for entry in entries if entry.sha256 is not None and entry.school in named]
    for start in range(0, len(wanted), DOCUMENTS_PER_PAGE):
        page = wanted[start : start + DOCUMENTS_PER_PAGE]
        packed = documents.bodies(tx, [entry.sha256 for entry in page if entry.sha256])
        for entry in page:
            yield entry, canonical.unpack(packed[entry.sha256 or ""])


def _by_school(outcomes: Sequence[Outcome]) -> Named:
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
