"""What a view about one school's submission needs: who asks, the round, the school and the submission, in one place.

What a person may not know of is 404 for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
from services.kit.logs import correlation_id, traceparent

_TICKETED = ("confirm", "certify", "acknowledge")
"""The acts that the edge gives tickets for; a ticket names its act, so it opens no other window."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks in a request, and when it came: all that an act needs to know of it, also in another thread. `arrived` and
    `turned_away` by the round clock."""

    who: Principal
    arrived: datetime
    turned_away: datetime | None
    correlation: str
    traceparent: str


def visit() -> Visit:
    """The visit of this request."""
    return Visit(principal(), arrived(), turned_away(), correlation_id(), traceparent())


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
    if lock:
        rounds.enter(tx, round_name)
    row = submissions.find(tx, round_name, code, lock=lock)
    waiting = submissions.waiting_uploads(tx, round_name, [code]).get(code) if row else None
    desk = desk_of(visit(), row, waiting)
    if pupils and not desk.is_own:
        raise not_found()
    return desk


def desk_of(visit: Visit, row: sa.Row[Any] | None, upload_waiting: str | None) -> Desk:
    """The desk at which a visitor stands with this submission, as `submissions.find` found it. Raises Problem 404."""
    entered = rounds.of_row(row) if row else None
    if row is None or entered is None or not sees_school(visit.who.grants, row.school, row.school_esa):
        raise not_found()
    actor = Actor(
        subject=visit.who.subject,
        grants=visit.who.grants,
        stepped_up=visit.who.stepped_up,
        school=row.school,
        esa=row.school_esa,
        at=arrival(visit.arrived, visit.turned_away, entered.windows(row.school, *_TICKETED)),
    )
    return Desk(visit.who, actor, entered, row, submissions.seen(row._asdict(), upload_waiting))
