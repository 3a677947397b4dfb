"""What snapshot hears: the register, rosters and states from intake, the parts of closing, packages from export.

In any order and more than once; closing itself is carried on by the job `advance-closings`.
"""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from services.contracts.dedup import RoundSettled
from services.contracts.event import to_plain
from services.contracts.export import PackageBuilt
from services.contracts.intake import (
    AreaRegistered,
    ManifestSent,
    RosterAccepted,
    RoundFenced,
    SubmissionChanged,
)
from services.contracts.roster import canonical
from services.kit.database import Transaction
from services.snapshot.rules.counts import recount, rows_at, summarise
from services.snapshot.tables import closings, documents, package, register, rounds, submission


class NotTheDocument(ValueError):
    """The bytes that came are not the document the event names."""


class RoundUnknown(ValueError):
    """An event of a round that was never opened here; snapshot alone opens rounds."""


def on_area_registered(event: AreaRegistered, tx: Transaction) -> None:
    register.keep_area(tx, event)


def on_roster_accepted(event: RosterAccepted, tx: Transaction) -> None:
    """Keep the document, counted two ways for the round's age day. One that is here already changes nothing."""
    known = rounds.find_round(tx, event.round)
    if known is None:
        raise RoundUnknown(event.round)
    age_day = known.plan.age_day
    if documents.is_counted(tx, event.sha256, age_day):
        return
    assert tx.cause is not None
    packed = tx.cause.document or b""
    data = canonical.unpack(packed)
    if canonical.digest(data) != event.sha256:
        raise NotTheDocument(event.sha256)
    frame = canonical.decode(data)
    rows = rows_at(frame, range(1, frame.height + 1), age_day)
    documents.keep(tx, event.sha256, packed)
    documents.keep_counts(
        tx,
        event.sha256,
        age_day,
        first=summarise(frame, age_day),
        second=recount(data, age_day, "certified", ()),
        lines=[(row.line, row.reason) for row in rows if row.reason],
    )


def on_submission_changed(event: SubmissionChanged, tx: Transaction) -> None:
    """The newest state heard of each school; closing holds the manifest against it."""
    named = {"round": event.round, "school": event.school}
    told = {"revision": event.revision, "state": event.state, "sha256": event.sha256}
    statement = insert(submission).values(**named, **told)
    newer = submission.c.revision < statement.excluded.revision
    tx.execute(statement.on_conflict_do_update(index_elements=list(named), set_=told, where=newer))


def on_round_fenced(event: RoundFenced, tx: Transaction) -> None:
    if closings.is_live(tx, event.round, event.closure):
        closings.keep_fence(tx, event)


def on_manifest_sent(event: ManifestSent, tx: Transaction) -> None:
    if closings.is_live(tx, event.round, event.closure):
        closings.keep_part(tx, event)


def on_round_settled(event: RoundSettled, tx: Transaction) -> None:
    if closings.is_live(tx, event.round, event.closure):
        closings.keep_settlement(tx, event)


def on_package_built(event: PackageBuilt, tx: Transaction) -> None:
    statement = insert(package).values(to_plain(event))
    tx.execute(statement.on_conflict_do_nothing())
