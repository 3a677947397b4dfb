"""Screening rolls against all others of the round, in the transaction of the messages that brought them.

It serialises on the identity key: two rolls that share a key, screened at the same moment by two workers, take turns on
that key's row, so the second one sees the first. Several rolls of a round are screened as one: their schools, then
their keys are locked, each in order. The steps are apart so that a test can run them in every interleaving.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.contracts.dedup import RosterScreened
from services.contracts.envelope import Envelope
from services.dedup.casework import REGISTER_LOCK, recompute
from services.dedup.rules.holdings import Change, Holding, change, current_as_of
from services.dedup.tables import closures, holders
from services.kit.database import Transaction

NO_ROSTER = ""


@dataclass(frozen=True, slots=True)
class Roll:
    """One version of a school's roll on its way into the index. `revision`: as of which it is the current one;
    `cause`: the message that brought it."""

    school: str
    revision: int
    sha256: str
    wanted: Mapping[bytes, Holding]
    cause: Envelope | None = None


@dataclass(slots=True)
class Screening:
    """Rolls of one round; of several of one school the newest counts."""

    tx: Transaction
    round: str
    rolls: Sequence[Roll]
    _changes: dict[str, Change] = field(default_factory=dict)
    _known: list[bytes] = field(default_factory=list)
    _shared: set[bytes] = field(default_factory=set)

    def claim(self) -> bool:
        """Take the schools' turns; what is screened of a school and is as new drops out, and everything of a sealed
        round. False if nothing is left."""
        self.tx.lock_shared(REGISTER_LOCK)
        codes = sorted({roll.school for roll in self.rolls})
        screened = holders.lock_schools(self.tx, self.round, codes)
        if closures.is_sealed(self.tx, self.round):
            return False
        named = closures.named_at_fence(self.tx, self.round, codes)
        newest: dict[str, Roll] = {}
        for roll in self.rolls:
            revision = current_as_of(roll.revision, roll.sha256, named.get(roll.school))
            before = newest[roll.school].revision if roll.school in newest else screened[roll.school]
            if revision is not None and revision > before:
                newest[roll.school] = replace(roll, revision=revision)
        self.rolls = [newest[code] for code in sorted(newest)]
        return bool(self.rolls)

    def insert_keys(self) -> None:
        """Every key of the old and of the new rolls: also one whose holder stays may have a case that names the line."""
        held = holders.held_by(self.tx, self.round, [roll.school for roll in self.rolls])
        keys: set[bytes] = set()
        for roll in self.rolls:
            mine = held.get(roll.school, {})
            self._changes[roll.school] = change(mine, roll.wanted)
            self._shared |= keys & roll.wanted.keys()
            keys.update(mine, roll.wanted)
        self._known = sorted(keys - holders.insert_keys(self.tx, self.round, sorted(keys)))

    def lock_keys(self) -> None:
        """Those that were there; the new ones are this transaction's alone."""
        holders.lock_keys(self.tx, self.round, self._known)

    def write_holders(self) -> None:
        holders.remove(self.tx, self.round, {school: c.removed for school, c in self._changes.items()})
        holders.add(self.tx, self.round, {school: c.added for school, c in self._changes.items()})
        holders.alter(self.tx, self.round, {school: c.altered for school, c in self._changes.items()})
        screened = [(roll.school, roll.revision, roll.sha256) for roll in self.rolls]
        holders.note_screened(self.tx, self.round, screened)

    def settle_cases(self) -> None:
        causes = {roll.school: roll.cause for roll in self.rolls if roll.cause is not None}
        # A key that came with one roll alone has one holder and no case.
        recompute(self.tx, self.round, sorted({*self._known, *self._shared}), causes)

    def tell(self) -> None:
        others = holders.rolls(self.tx, self.round) - 1
        for roll in self.rolls:
            if roll.sha256 == NO_ROSTER:
                continue
            told = RosterScreened(
                round=self.round,
                school=roll.school,
                sha256=roll.sha256,
                revision=roll.revision,
                compared_with=others,
                at=self.tx.now().isoformat(),
            )
            self.tx.publish(told, subject=roll.school, cause=roll.cause)

    def steps(self) -> tuple[Callable[[], None], ...]:
        """What follows a claim, in order."""
        return (self.insert_keys, self.lock_keys, self.write_holders, self.settle_cases, self.tell)


def screen(tx: Transaction, round_name: str, rolls: Sequence[Roll]) -> None:
    """Screen rolls, but for those that a newer one of the school went before."""
    screening = Screening(tx, round_name, rolls)
    if screening.claim():
        for step in screening.steps():
            step()


def withdraw(tx: Transaction, round_name: str, school: str) -> None:
    """Take a school's roll out of the index: intake's manifest knows of none."""
    tx.lock_shared(REGISTER_LOCK)
    revision = holders.lock_schools(tx, round_name, [school])[school] + 1
    for step in Screening(tx, round_name, [Roll(school, revision, NO_ROSTER, {})]).steps():
        step()
