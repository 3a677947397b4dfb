"""What dedup hears: the register and the rolls from intake, rounds and closing from snapshot. In any order, and more
than once; closing itself is carried on by the jobs of `settling`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from services.contracts.intake import AreaRegistered, ManifestSent, RosterIdentified, RoundFenced
from services.contracts.snapshot import ClosingAborted, ClosingAnnounced, RoundOpened, RoundSealed
from services.dedup import casework, screening
from services.dedup.rules.holdings import read_holdings
from services.dedup.tables import cases, closures, register, rounds
from services.kit.database import Transaction
from services.kit.service import Arrival

REGISTER_WAIT_MS = 5000


def on_area_registered(event: AreaRegistered, tx: Transaction) -> None:
    """Take over the schools; the cases of schools renamed or moved to another area are told again."""
    tx.lock_exclusive(casework.REGISTER_LOCK, timeout_ms=REGISTER_WAIT_MS)
    changed = register.keep_area(tx, event)
    for round_name, keys in cases.keys_of_schools(tx, changed).items():
        casework.recompute(tx, round_name, keys)


def on_rosters_identified(arrivals: Sequence[Arrival], tx: Transaction) -> None:
    """Screen the rolls that came, those of a round together. Raises ProjectionUnreadable or NotCanonical."""
    rolls: dict[str, list[screening.Roll]] = defaultdict(list)
    for arrival in arrivals:
        event: RosterIdentified = arrival.event
        assert arrival.cause.document is not None
        wanted = read_holdings(arrival.cause.document)
        roll = screening.Roll(event.school, event.revision, event.sha256, wanted, arrival.cause)
        rolls[event.round].append(roll)
    for round_name in sorted(rolls):
        screening.screen(tx, round_name, rolls[round_name])


def on_round_opened(event: RoundOpened, tx: Transaction) -> None:
    rounds.keep(tx, event)


def on_closing_announced(event: ClosingAnnounced, tx: Transaction) -> None:
    """Nothing is fenced yet: intake comes first. An earlier attempt is thereby no longer live."""
    row = closures.row_of(tx, event.round, event.closure)
    closures.change(tx, event.round, event.closure, revision=max(row.revision, event.revision))


def on_closing_aborted(event: ClosingAborted, tx: Transaction) -> None:
    closures.row_of(tx, event.round, event.closure)
    closures.change(tx, event.round, event.closure, aborted=True)


def on_round_fenced(event: RoundFenced, tx: Transaction) -> None:
    closures.row_of(tx, event.round, event.closure)
    named = {"parts": event.parts, "manifest_sha256": event.manifest_sha256}
    closures.change(tx, event.round, event.closure, **named)
    closures.check_complete(tx, event.round, event.closure)


def on_manifest_sent(event: ManifestSent, tx: Transaction) -> None:
    closures.row_of(tx, event.round, event.closure)
    closures.keep_part(tx, event)
    closures.check_complete(tx, event.round, event.closure)


def on_round_sealed(event: RoundSealed, tx: Transaction) -> None:
    """The round is frozen: no answer, decision or screening any more."""
    closures.row_of(tx, event.round, event.closure)
    closures.change(tx, event.round, event.closure, sealed=True)
