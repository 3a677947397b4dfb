"""What intake hears: the rounds and their closing from snapshot, screening and cases from dedup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.dedup import CaseChanged, IdentifiedRequested
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
from services.intake.rules.identified import key_of_line
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


def on_case_changed(event: CaseChanged, tx: Transaction) -> None:
    parties = [to_plain(party) for party in event.parties]
    own = next((party for party in event.parties if party.school == event.school), None)
    values = {
        "case": event.case,
        "school": event.school,
        "round": event.round,
        "revision": event.revision,
        "state": event.state,
        "decision": event.decision,
        "parties": parties,
        "key": _key(tx, own.sha256, own.line) if own else "",
    }
    statement = insert(duplicate).values(values)
    newer = duplicate.c.revision < statement.excluded.revision
    kept = tx.execute(
        statement.on_conflict_do_update(
            index_elements=["case", "school"], set_=values, where=newer
        ).returning(duplicate.c.case)
    )
    if kept.first() is not None and submissions.find(tx, event.round, event.school) is not None:
        submissions.refresh(tx, event.round, event.school, "case")


def _key(tx: Transaction, sha256: str, line: int) -> str:
    known = tx.execute(
        sa.select(document.c.identified).where(document.c.sha256 == sha256)
    ).scalar_one_or_none()
    return key_of_line(unpack(bytes(known)), line) if known is not None else ""


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
