"""How a case stands: a function of who holds the key now and of the latest ruling, never of the way there. So every
order in which rosters arrive ends in the same state. Not here: who may rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from services.contracts.dedup import Outcome

OPEN, CLEARED, DECIDED = "open", "cleared", "decided"
STATES = (OPEN, CLEARED, DECIDED)
NEITHER = "neither"
NO_ANSWER, OURS = "none", "ours"
MOST_TOLD = 20
UNDECIDED_LINE, LOST_LINE = "duplicate-undecided", "duplicate-lost"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision that was made: the school the pupil belongs to (10-digit code) or NEITHER, and between which schools."""

    belongs_to: str
    schools: frozenset[str]


def standing(holders: AbstractSet[str], ruling: Ruling | None) -> tuple[str, str]:
    """(state, decision) of a case whose key these schools hold.

    Fewer than two: cleared. A ruling holds among the schools it was made between, as long as the school it names is one
    of the holders; a school that joins, or the named one leaving the others behind, opens the case again.
    """
    if len(holders) < 2:
        return CLEARED, ""
    if ruling is None or not holders <= ruling.schools:
        return OPEN, ""
    if ruling.belongs_to != NEITHER and ruling.belongs_to not in holders:
        return OPEN, ""
    return DECIDED, ruling.belongs_to


def told(school: str, state: str, decision: str, parties: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What one school is told of a case: state, decision and the parties (CaseParty as plain data, in order of code).

    A number that many schools type where they have none makes one case of hundreds of parties: each school is told of
    itself and of the first others only, or every roll would send every roll to every school. A school that is no
    party (any more), and everyone once the case is cleared, is told just that.
    """
    if state == CLEARED or school not in {party["school"] for party in parties}:
        return {"state": CLEARED, "decision": "", "parties": []}
    others = [party["school"] for party in parties if party["school"] != school]
    among = {school, *others[: MOST_TOLD - 1]}
    shown = [party for party in parties if party["school"] in among]
    return {"state": state, "decision": decision, "parties": shown}


def next_revision(previous: int, real_ms: int) -> int:
    """Greater than the previous one, and growing on after a restore of the database from a copy."""
    return max(previous + 1, real_ms)


def outcomes(case: str, state: str, decision: str, parties: Iterable[dict[str, Any]]) -> Sequence[Outcome]:
    """The lines that a case keeps from being counted: at every party while undecided, at the losing ones once decided.
    `parties`: CaseParty as plain data."""
    if state == CLEARED:
        return []
    reason = UNDECIDED_LINE if state == OPEN else LOST_LINE
    return [
        Outcome(school=p["school"], sha256=p["sha256"], line=p["line"], reason=reason, case=case)
        for p in parties
        if state == OPEN or p["school"] != decision
    ]
