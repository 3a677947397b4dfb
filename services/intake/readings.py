"""What intake tells of its tables: how far the schools of each round are, how long the window is open, which files wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from services.intake import metrics
from services.intake.rules.states import OPEN_STATES, STATES
from services.intake.tables import round_, rounds, submission, upload
from services.intake.tables.submissions import WAITING
from services.kit.service import Reading, Runtime, Sample

DAY = ("confirm", "certify")
"""The activities of the deadline day."""
_SUBMISSIONS = (
    sa.select(submission.c.round, submission.c.state, sa.func.count().label("schools"))
    .join(round_, round_.c.name == submission.c.round)
    .where(round_.c.state != "sealed")
    .group_by(submission.c.round, submission.c.state)
)
_ROUNDS = sa.select(*rounds.COLUMNS).where(round_.c.state.in_(OPEN_STATES))
_UPLOADS = sa.select(
    sa.func.count().label("waiting"),
    sa.func.extract("epoch", sa.func.clock_timestamp() - sa.func.min(upload.c.received_at)).label("oldest"),
).where(upload.c.state.in_(WAITING))


def read_submissions(runtime: Runtime) -> Iterator[Sample]:
    """Goes through the submissions of all rounds that are not sealed."""
    with runtime.database.look() as connection:
        rows = connection.execute(_SUBMISSIONS).all()
    found = {(row.round, row.state): row.schools for row in rows}
    for name in sorted({row.round for row in rows}):
        for state in STATES:
            yield metrics.SUBMISSIONS, (name, state), found.get((name, state), 0)


def read_window(runtime: Runtime) -> Iterator[Sample]:
    """By the plans of the rounds that are open."""
    with runtime.database.look() as connection:
        rows = connection.execute(_ROUNDS).all()
    now = runtime.clock.now()
    for found in filter(None, map(rounds.of_row, rows)):
        yield metrics.WINDOW_SECONDS_LEFT, (found.name,), seconds_left(found, now)


def seconds_left(found: rounds.Round, now: datetime) -> float:
    """Until the last of the day's open windows closes; 0 if none is open."""
    windows = (found.plan.window(activity) for activity in DAY)
    return max(
        ((window.closes - now).total_seconds() for window in windows if window.is_open(now)), default=0.0
    )


def read_uploads(runtime: Runtime) -> Iterator[Sample]:
    """Goes through what waits, by its own index."""
    with runtime.database.look() as connection:
        found = connection.execute(_UPLOADS).one()
    yield metrics.UPLOADS_WAITING, (), found.waiting
    yield metrics.UPLOADS_OLDEST_SECONDS, (), float(found.oldest or 0)


READINGS = (
    Reading("submissions", 10, read_submissions),
    Reading("window", 5, read_window),
    Reading("uploads", 5, read_uploads),
)
