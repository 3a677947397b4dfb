"""Screening one roll against all others of the round, in the transaction of the message that brought it.

It serialises on the identity key: two rolls that share a key, screened at the same moment by two workers, take turns on
that key's row, so the second one sees the first. The steps are apart so that a test can run them in every interleaving.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.contracts.dedup import RosterScreened
from services.contracts.intake import RosterIdentified
from services.dedup.casework import REGISTER_LOCK, recompute
from services.dedup.rules.holdings import Change, Holding, change, current_as_of, read_holdings
from services.dedup.tables import closures, holders
from services.kit.database import Transaction

NO_ROSTER = ""


@dataclass(slots=True)
class Screening:
    """One version of a school's roll on its way into the index. `revision`: as of which it is the current one."""

    tx: Transaction
    round: str
    school: str
    revision: int
    sha256: str
    wanted: Mapping[bytes, Holding]
    _change: Change = field(default_factory=lambda: Change((), ()))
    _keys: list[bytes] = field(default_factory=list)

    def claim(self) -> bool:
        """Take the school's turn; False if what is screened of it is as new, or the round is sealed."""
        self.tx.lock_shared(REGISTER_LOCK)
        row = holders.lock_school(self.tx, self.round, self.school)
        named = closures.named_at_fence(self.tx, self.round, self.school)
        revision = current_as_of(self.revision, self.sha256, named)
        if revision is None or revision <= row.revision or closures.is_sealed(self.tx, self.round):
            return False
        self.revision = revision
        return True

    def insert_keys(self) -> None:
        """Every key of the old and of the new roll: also one whose holder stays may have a case that names the line."""
        held = holders.held_by(self.tx, self.round, self.school)
        self._change = change(held, self.wanted)
        self._keys = sorted({*held, *self.wanted})
        holders.insert_keys(self.tx, self.round, self._keys)

    def lock_keys(self) -> None:
        holders.lock_keys(self.tx, self.round, self._keys)

    def write_holders(self) -> None:
        holders.remove(self.tx, self.round, self.school, self._change.removed)
        holders.write(self.tx, self.round, self.school, self._change.written)
        holders.note_screened(self.tx, self.round, self.school, self.revision, self.sha256)

    def settle_cases(self) -> None:
        recompute(self.tx, self.round, self._keys)

    def tell(self) -> None:
        if self.sha256 == NO_ROSTER:
            return
        told = RosterScreened(
            round=self.round,
            school=self.school,
            sha256=self.sha256,
            revision=self.revision,
            compared_with=holders.other_rolls(self.tx, self.round, self.school),
            at=self.tx.now().isoformat(),
        )
        self.tx.publish(told, subject=self.school)

    def steps(self) -> tuple[Callable[[], None], ...]:
        """What follows a claim, in order."""
        return (self.insert_keys, self.lock_keys, self.write_holders, self.settle_cases, self.tell)


def screen(tx: Transaction, event: RosterIdentified, document: bytes) -> None:
    """Screen a roll unless a newer one of the school was. Raises ProjectionUnreadable or NotCanonical."""
    wanted = read_holdings(document)
    screening = Screening(tx, event.round, event.school, event.revision, event.sha256, wanted)
    if screening.claim():
        for step in screening.steps():
            step()


def withdraw(tx: Transaction, round_name: str, school: str) -> None:
    """Take a school's roll out of the index: intake's manifest knows of none."""
    tx.lock_shared(REGISTER_LOCK)
    row = holders.lock_school(tx, round_name, school)
    for step in Screening(tx, round_name, school, row.revision + 1, NO_ROSTER, {}).steps():
        step()
