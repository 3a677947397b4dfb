"""What a view about one school's submission needs: who asks, the round, the school and the submission, in one place.

What a person may not know of is 404 for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.contracts.access import sees_pupils, sees_school
from services.contracts.calendar import Window
from services.intake.rules.acts import Actor, arrival
from services.intake.rules.states import Submission
from services.intake.tables import rounds, submissions
from services.kit.auth import Principal, principal
from services.kit.database import Transaction
from services.kit.errors import not_found
from services.kit.http import arrived, turned_away

_TICKETED = ("confirm", "certify", "acknowledge")
"""The acts that the edge gives tickets for; a ticket names its act, so it opens no other window."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One request about one submission. `row` is the submission's row with its school's columns (`submissions.find`),
    `submission` what the guards see of it."""

    who: Principal
    actor: Actor
    round: rounds.Round
    row: sa.Row[Any]
    submission: Submission

    def windows(self, *activities: str) -> list[Window]:
        return self.round.windows(self.row.school, *activities)

    @property
    def is_own(self) -> bool:
        """Whether the person belongs to the school and may see its pupils."""
        return sees_pupils(self.who.grants, self.row.school)


def open_desk(
    tx: Transaction, round_name: str, code: str, *, lock: bool = False, pupils: bool = False
) -> Desk:
    """Gather it. `lock`: under the round's fence and the submission's row lock, for uploads and acts; `pupils`: only
    for people of the school itself. Raises Problem 404."""
    who = principal()
    if lock:
        rounds.enter(tx, round_name)
    row = submissions.find(tx, round_name, code, lock=lock)
    entered = rounds.of_row(row) if row else None
    if row is None or entered is None or not sees_school(who.grants, code, row.school_esa):
        raise not_found()
    if pupils and not sees_pupils(who.grants, code):
        raise not_found()
    actor = Actor(
        subject=who.subject,
        grants=who.grants,
        stepped_up=who.stepped_up,
        school=code,
        esa=row.school_esa,
        at=arrival(arrived(), turned_away(), entered.windows(code, *_TICKETED)),
    )
    return Desk(who, actor, entered, row, submissions.for_rules(tx, row))
