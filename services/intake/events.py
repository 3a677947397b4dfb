"""What intake hears: the rounds and their closing from snapshot, screening and cases from dedup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.dedup import CaseChanged, CaseParty, IdentifiedRequested
from services.contracts.event import to_plain
from services.contracts.intake import RosterAccepted, RosterIdentified
from services.contracts.roster.canonical import unpack
from services.contracts.snapshot import (
    ClosingAborted,
    ClosingAnnounced,
    RosterRequested,
    RoundOpened,
    RoundSealed,
)
from services.intake.rules.identified import keys_by_line
from services.intake.tables import document, documents, duplicate, rounds, submission, submissions, uploads
from services.kit.database import Transaction
from services.kit.service import Arrival

_SCREENED = (
    sa.update(submission)
    .where(
        submission.c.round == sa.bindparam("of_round"),
        submission.c.school == sa.bindparam("of_school"),
        submission.c.sha256 == sa.bindparam("of_version"),
    )
    .values(screening=sa.bindparam("note"))
)


_CASE = insert(duplicate)
_CASE_COLUMNS = ("round", "revision", "state", "decision", "parties", "key")
_KEEP_CASE = _CASE.on_conflict_do_update(
    index_elements=["case", "school"],
    set_={name: _CASE.excluded[name] for name in _CASE_COLUMNS},
    where=duplicate.c.revision < _CASE.excluded.revision,
)


def on_round_opened(event: RoundOpened, tx: Transaction) -> None:
    if rounds.keep_plan(tx, event):
        rounds.add_submissions(tx, [event.round])


def on_closing_announced(event: ClosingAnnounced, tx: Transaction) -> None:
    """The fencing job takes it from here."""
    rounds.set_state(tx, event.round, "closing", closure=event.closure, revision=event.revision)


def on_closing_aborted(event: ClosingAborted, tx: Transaction) -> None:
    if rounds.set_state(tx, event.round, "open", closure="", revision=event.revision):
        uploads.unmark_late(tx, event.round)


def on_round_sealed(event: RoundSealed, tx: Transaction) -> None:
    """The submissions of counted schools are sealed; the event itself tells the others."""
    if rounds.set_state(tx, event.round, "sealed", closure=event.closure, revision=event.revision):
        submissions.seal(tx, event.round)


def on_rosters_screened(arrivals: Sequence[Arrival], tx: Transaction) -> None:
    """Note what the current versions were compared with; a note on another version says nothing any more."""
    tx.execute(
        _SCREENED,
        [
            {
                "of_round": event.round,
                "of_school": event.school,
                "of_version": event.sha256,
                "note": {"compared_with": event.compared_with, "at": event.at},
            }
            for event in sorted((arrival.event for arrival in arrivals), key=lambda e: (e.round, e.school))
        ],
    )


def on_cases_changed(arrivals: Sequence[Arrival], tx: Transaction) -> None:
    """Keep the newest of each school's cases; what the schools have left to answer follows."""
    newest: dict[tuple[str, str], CaseChanged] = {}
    for event in sorted((arrival.event for arrival in arrivals), key=lambda e: e.revision):
        newest[event.case, event.school] = event
    keys = _keys(tx, newest.values())
    values = [_case(event, keys) for _, event in sorted(newest.items())]
    tx.execute(_KEEP_CASE, values)
    for round_name in sorted({event.round for event in newest.values()}):
        schools = {event.school for event in newest.values() if event.round == round_name}
        submissions.refresh(tx, round_name, schools, "case")


def _own(event: CaseChanged) -> CaseParty | None:
    return next((party for party in event.parties if party.school == event.school), None)


def _case(event: CaseChanged, keys: dict[str, list[str]]) -> dict[str, Any]:
    own = _own(event)
    lines = keys.get(own.sha256, []) if own else []
    return {
        "case": event.case,
        "school": event.school,
        "round": event.round,
        "revision": event.revision,
        "state": event.state,
        "decision": event.decision,
        "parties": [to_plain(party) for party in event.parties],
        "key": lines[own.line - 1] if own and 0 < own.line <= len(lines) else "",
    }


def _keys(tx: Transaction, events: Iterable[CaseChanged]) -> dict[str, list[str]]:
    """Of the versions the schools' own pupils are on: sha256 → the identity key of each line."""
    shas = {own.sha256 for event in events if (own := _own(event)) is not None}
    return {
        sha256: keys_by_line(unpack(projection))
        for sha256, projection in documents.read_identified(tx.connection, shas).items()
    }


def on_identified_requested(event: IdentifiedRequested, tx: Transaction) -> None:
    for code in event.schools:
        found = documents.latest_version(tx, event.round, code)
        if found is not None:
            tx.publish(RosterIdentified(**_told(tx, found)), subject=code)


def on_roster_requested(event: RosterRequested, tx: Transaction) -> None:
    for code in event.schools:
        found = documents.latest_version(tx, event.round, code)
        if found is not None:
            tx.publish(RosterAccepted(**_told(tx, found)), subject=code)


def _told(tx: Transaction, version: sa.Row[Any]) -> dict[str, Any]:
    pupils = tx.execute(sa.select(document.c.pupils).where(document.c.sha256 == version.sha256)).scalar_one()
    return {
        "round": version.round,
        "school": version.school,
        "revision": version.revision,
        "sha256": version.sha256,
        "pupils": pupils,
    }
