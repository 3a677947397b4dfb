"""Throttled sign-in: failed attempts counted per account and client, per client, and per account.

An attempt is counted before the password is checked, so many at once cannot slip through, and taken back when it
succeeds. One client alone cannot use up an account's own limit: it is stopped at the pair first, or anyone could
shut a director out on the day of the count.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gateway.portal.tables import attempt
from services.kit.database import Transaction

WINDOW = timedelta(minutes=15)
PER_PAIR, PER_CLIENT, PER_ACCOUNT = 5, 60, 50


def count(tx: Transaction, username: str, client: str, now: datetime) -> int:
    """Count one attempt; returns the seconds to wait before the next if it is over a limit, else 0."""
    for key, limit in _limits(username, client):  # in this order everywhere, so that two never deadlock
        wait = _count_one(tx, key, limit, now)
        if wait:
            return wait
    return 0


def succeeded(tx: Transaction, username: str, client: str) -> None:
    """Take the counted attempt back: the password was right."""
    keys = [key for key, _ in _limits(username, client)]
    tx.execute(sa.delete(attempt).where(attempt.c.key == keys[0]))
    for key in keys[1:]:
        one_less = sa.update(attempt).where(attempt.c.key == key, attempt.c.count > 0)
        tx.execute(one_less.values(count=attempt.c.count - 1))


def forget(tx: Transaction, now: datetime) -> None:
    """Drop counts that are over; those another sign-in holds are left for the next."""
    over = sa.select(attempt.c.key).where(attempt.c.since < now - WINDOW).with_for_update(skip_locked=True)
    tx.execute(sa.delete(attempt).where(attempt.c.key.in_(over)))


def _limits(username: str, client: str) -> tuple[tuple[str, int], ...]:
    return (
        (_key("pair", username, client), PER_PAIR),
        (_key("client", client), PER_CLIENT),
        (_key("account", username), PER_ACCOUNT),
    )


def _count_one(tx: Transaction, key: str, limit: int, now: datetime) -> int:
    oldest = now - WINDOW
    fresh = attempt.c.since > oldest
    added = insert(attempt).values(key=key, count=1, since=now)
    added = added.on_conflict_do_update(
        index_elements=[attempt.c.key],
        set_={
            "count": sa.case((fresh, sa.func.least(attempt.c.count + 1, limit + 1)), else_=1),
            "since": sa.case((fresh, attempt.c.since), else_=now),
        },
    )
    now_is = tx.execute(added.returning(attempt.c.count, attempt.c.since)).mappings().one()
    waits = (now_is["since"] - oldest).total_seconds()
    return int(waits + 0.999) if now_is["count"] > limit else 0


def _key(*parts: str) -> str:
    # a name typed here may be a password typed into the wrong field: only its digest is kept
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()
