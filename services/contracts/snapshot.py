"""Events that snapshot produces: the rounds, their windows, and closing."""

from __future__ import annotations

from typing import Any

from services.contracts.event import event

FOLLOWERS = ("intake", "dedup", "buildings", "export")


@event("snapshot.round.opened.v1", consumers=FOLLOWERS)
class RoundOpened:
    """A round exists, with its calendar (`plan`: services.contracts.calendar as plain data) and the extensions
    granted so far. Sent again whole, with a greater revision, whenever either changes."""

    round: str
    revision: int
    plan: dict[str, Any]
    extensions: tuple[dict[str, Any], ...] = ()


@event("snapshot.closing.announced.v1", consumers=("intake", "dedup"))
class ClosingAnnounced:
    """Headquarters closes the round: intake is to fence it and send the manifest. `closure` names this attempt."""

    round: str
    closure: str
    revision: int


@event("snapshot.closing.aborted.v1", consumers=("intake", "dedup"))
class ClosingAborted:
    """This attempt at closing is given up: the fence is lifted."""

    round: str
    closure: str
    revision: int


@event("snapshot.roster.requested.v1", consumers=("intake",))
class RosterRequested:
    """Snapshot lacks the named schools' current documents and asks intake to send them again."""

    round: str
    closure: str
    schools: tuple[str, ...]


@event("snapshot.round.sealed.v1", consumers=("intake", "dedup", "export"))
class RoundSealed:
    """The round is closed for good. `seal` is the signed statement (services/contracts/signed.py)."""

    round: str
    closure: str
    revision: int
    root: str
    schools: int
    pupils: int
    counted: int
    seal: dict[str, Any]
