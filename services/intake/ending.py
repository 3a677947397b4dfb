"""Brings checked uploads to their ends, many in one transaction, with as many statements for fifty as for one.

Not here: what checking found (`checking`), and what may be done with a submission (`rules`).
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from services.contracts.intake import RosterAccepted, RosterIdentified, SubmissionState
from services.intake.rules.catalogue_refusals import Unreadable
from services.intake.rules.states import OPEN_STATES, SIGNED, readiness
from services.intake.tables import documents, rounds, submissions, unsettled, uploads
from services.intake.tables.documents import Document
from services.intake.tables.register import next_revision
from services.kit.database import Transaction
from services.kit.logs import under

SUPERSEDED = {
    "code": "superseded",
    "th": "มีไฟล์ที่ส่งทีหลังถูกใช้แล้ว ไฟล์นี้จึงไม่ถูกใช้",
    "en": "A file that arrived later is in place already; this one is not used",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A readable upload after its pass: the document, its findings (JSON-able) and pupils by grade and sex."""

    document: Document
    findings: list[dict[str, Any]]
    counts: list[dict[str, Any]]

    def tally(self) -> dict[str, int]:
        severities = [finding["severity"] for finding in self.findings]
        return {f"{name}s": severities.count(name) for name in ("error", "warning", "note")}


_NEVER = (datetime.min.replace(tzinfo=UTC), 0)

Outcome = Checked | Unreadable | None
"""What became of an upload's pass; None where checking itself failed and is to be tried again."""


def end_all(
    tx: Transaction,
    rows: Iterable[sa.Row[Any]],
    outcomes: Mapping[str, Outcome],
    traces: Mapping[str, str],
) -> None:
    """End these claimed uploads under their rounds' fences and their submissions' row locks. `traces`: upload id → the trace
    context under which its events go on."""
    in_order = sorted(rows, key=lambda row: (row.round, row.school, row.number))
    for round_name, of_round in itertools.groupby(in_order, key=lambda row: row.round):
        entered = rounds.enter_round(tx, round_name)
        if entered is None or entered.state not in OPEN_STATES:
            continue
        for wave in _waves(list(of_round)):
            _end_wave(tx, round_name, wave, outcomes, traces)


def _waves(rows: Sequence[sa.Row[Any]]) -> Iterable[list[sa.Row[Any]]]:
    """Each school at most once in a wave, its earlier upload in an earlier one."""
    by_school = [list(group) for _, group in itertools.groupby(rows, key=lambda row: row.school)]
    for wave in itertools.zip_longest(*by_school):
        yield [row for row in wave if row is not None]


@dataclass(frozen=True, slots=True)
class _Taken:
    """An upload that gives its school the current version, or gives the same version once more."""

    row: sa.Row[Any]
    current: sa.Row[Any]
    checked: Checked
    trace: str

    @property
    def new(self) -> bool:
        return bool(self.checked.document.sha256 != self.current.sha256)


def _end_wave(
    tx: Transaction,
    round_name: str,
    wave: list[sa.Row[Any]],
    outcomes: Mapping[str, Outcome],
    traces: Mapping[str, str],
) -> None:
    current = submissions.hold(tx, round_name, [row.school for row in wave])
    held = uploads.hold(tx, [row.id for row in wave])
    newest = uploads.newest_in_place(tx, round_name, list(current))
    refused: list[dict[str, Any]] = []
    taken: list[_Taken] = []
    for row in wave:
        if row.id not in held or row.school not in current:
            continue
        outcome, submission = outcomes[row.id], current[row.school]
        overtaken = newest.get(row.school, _NEVER) > (row.arrived_at, row.number)
        if outcome is None:
            uploads.give_back(tx, row.id)
        elif isinstance(outcome, Unreadable):
            reason = {"code": outcome.code, "th": outcome.th, "en": outcome.en, "row": outcome.row}
            refused.append({"upload_id": row.id, "state": "rejected", "reason": reason})
        elif submission.state in SIGNED or overtaken:
            refused.append({"upload_id": row.id, "state": "superseded", "reason": SUPERSEDED})
        else:
            taken.append(_Taken(row, submission, outcome, traces[row.id]))
    uploads.refuse(tx, refused)
    if taken:
        _take(tx, round_name, taken)


def _take(tx: Transaction, round_name: str, taken: Sequence[_Taken]) -> None:
    """Store new versions, let the submissions show these uploads, and tell the others."""
    schools = [one.row.school for one in taken]
    explained = unsettled.explained(tx, round_name, schools)
    cases = unsettled.asking(tx, round_name, schools)
    after = [_after(one, explained.get(one.row.school, ()), cases.get(one.row.school, ())) for one in taken]
    uploads.finish(tx, [_finished(one) for one in taken])
    submissions.show(tx, round_name, after)
    new = [(one, values) for one, values in zip(taken, after, strict=True) if one.new]
    documents.store(tx, [one.checked.document for one, _ in new])
    documents.add_versions(tx, [_version(one, values) for one, values in new])
    states: list[SubmissionState] = []
    for one, values in zip(taken, after, strict=True):
        with under(one.row.correlation, one.trace):
            if values["revision"] != one.current.revision:
                states.append(submissions.state_of(tx, one.current._asdict() | values, "upload"))
            if one.new:
                _tell_roster(tx, one, values)
    submissions.tell(tx, round_name, states)


def _after(
    one: _Taken, explained: Container[tuple[str, str]], cases: Sequence[sa.Row[Any]]
) -> dict[str, Any]:
    """The submission as it will stand; under a greater revision if it is another version or in another state."""
    current, checked = one.current, one.checked
    values = {
        "school": one.row.school,
        "upload": one.row.id,
        "arrived_at": one.row.arrived_at,
        "sha256": checked.document.sha256,
        "pupils": checked.document.pupils,
        "counts": checked.counts,
        "screening": None if one.new else current.screening,
        "unexplained": len(unsettled.without_sentence(checked.findings, explained)),
        "cases_open": len(unsettled.still_held(cases, checked.document.identified)),
        **checked.tally(),
    }
    state = readiness(submissions.seen(current._asdict() | values))
    moved = one.new or state != current.state
    return values | {
        "state": state,
        "revision": next_revision(current.revision) if moved else current.revision,
    }


def _finished(one: _Taken) -> dict[str, Any]:
    checked = one.checked
    return {
        "upload_id": one.row.id,
        "state": "accepted" if one.new else "unchanged",
        "sha256": checked.document.sha256,
        "pupils": checked.document.pupils,
        "counts": checked.tally(),
        "findings": checked.findings,
    }


def _version(one: _Taken, values: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: values[name] for name in ("school", "revision", "sha256", "upload")}
    return named | {"round": one.row.round, "at": one.row.arrived_at}


def _tell_roster(tx: Transaction, one: _Taken, values: Mapping[str, Any]) -> None:
    named = {name: values[name] for name in ("school", "revision", "sha256", "pupils")}
    for event in (RosterAccepted, RosterIdentified):
        tx.publish(event(round=one.row.round, **named), subject=one.row.school)
