"""Queries on the uploads: receiving, claiming for checking, and their ends.

States: received → checking → accepted | unchanged | rejected | failed | late | superseded.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from services.contracts.roster.canonical import pack, unpack
from services.intake.tables import upload
from services.kit.database import Transaction
from services.kit.sql import is_one_of

LEASE_SECONDS = 20
ATTEMPTS = 6
"""So many checkers may die over one upload. Who kills them is not known for sure: on a bad day it is the machine, again
and again, and an innocent file must outlive that; a deadly one is tried alone and takes nobody with it."""
BATCH_BYTES = 16 * 1024 * 1024
"""So much of the files is held in memory at once; a larger one alone."""

# ARRAY: an IN may be looked up once per row and would then lock, and claim, more than the limit.
_CLAIM = """
    UPDATE upload SET state = 'checking', attempts = attempts + 1,
        lease_until = clock_timestamp() + make_interval(secs => :lease)
     WHERE id = ANY(ARRAY(
        SELECT u.id FROM upload u JOIN round r ON r.name = u.round
         WHERE u.state IN ('received', 'checking') AND r.state IN ('open', 'closing') AND u.attempts < :attempts
           AND {due}
         ORDER BY u.number LIMIT :limit FOR UPDATE OF u SKIP LOCKED))
    RETURNING CAST(id AS text) AS id, number, round, school, content, size, media_type, filename, arrived_at, correlation,
        traceparent
"""
_FRESH = sa.text(_CLAIM.format(due="u.attempts = 0"))
_AGAIN = sa.text(_CLAIM.format(due="u.attempts > 0 AND u.lease_until < clock_timestamp()"))


def add(tx: Transaction, content: bytes, **values: Any) -> None:
    """Keep a file. Packed here: PostgreSQL's own compression takes ten times as long."""
    tx.execute(sa.insert(upload).values(content=pack(content), size=len(content), **values))


def file_of(row: sa.Row[Any]) -> bytes:
    """The file of a claimed upload, as it came."""
    return row.content if row.size is None else unpack(row.content)


def find(tx: Transaction, upload_id: str) -> sa.Row[Any] | None:
    """An upload without its content."""
    columns = [column for column in upload.c if column.name != "content"]
    return tx.execute(sa.select(*columns).where(upload.c.id == upload_id)).one_or_none()


def same_content(tx: Transaction, round_name: str, school: str, sha256: str) -> sa.Row[Any] | None:
    """The school's newest upload of exactly these bytes."""
    u = upload.c
    return tx.execute(
        sa.select(u.id, u.state, u.received_at)
        .where(u.round == round_name, u.school == school, u.content_sha256 == sha256)
        .order_by(u.number.desc())
        .limit(1)
    ).one_or_none()


def latest(tx: Transaction, round_name: str, school: str) -> sa.Row[Any] | None:
    columns = [column for column in upload.c if column.name not in ("content", "findings")]
    return tx.execute(
        sa.select(*columns)
        .where(upload.c.round == round_name, upload.c.school == school)
        .order_by(upload.c.number.desc())
        .limit(1)
    ).one_or_none()


def claim(tx: Transaction, limit: int) -> Sequence[sa.Row[Any]]:
    """Fresh uploads for one pass; or one whose checker died, alone, so that it cannot take others with it."""
    waiting = sa.exists().where(upload.c.state.in_(("received", "checking")))
    if not tx.execute(sa.select(waiting)).scalar_one():
        return []
    bounds = {"lease": LEASE_SECONDS, "attempts": ATTEMPTS}
    rows = tx.execute(_FRESH, bounds | {"limit": batch(_sizes(tx, limit))}).all()
    return rows or tx.execute(_AGAIN, bounds | {"limit": 1}).all()


def batch(sizes: Sequence[int]) -> int:
    """How many of these files, from the first on, are checked in one pass; at least one."""
    together = itertools.takewhile(lambda total: total <= BATCH_BYTES, itertools.accumulate(sizes))
    return max(1, len(list(together)))


def _sizes(tx: Transaction, limit: int) -> Sequence[int]:
    """Bytes of the next fresh uploads, in their order."""
    u = upload.c
    size = sa.func.coalesce(u.size, sa.func.octet_length(u.content))
    fresh = sa.select(size).where(u.state == "received", u.attempts == 0)
    return tx.execute(fresh.order_by(u.number).limit(limit)).scalars().all()


def give_back(tx: Transaction, upload_id: str) -> None:
    """This process stops before checking it: due again now."""
    tx.execute(
        sa.update(upload)
        .where(upload.c.id == upload_id, upload.c.state == "checking")
        .values(lease_until=sa.func.clock_timestamp())
    )


def take_back(tx: Transaction) -> None:
    """Every checker is known to be dead: what they held is due again now."""
    tx.execute(
        sa.update(upload).where(upload.c.state == "checking").values(lease_until=sa.func.clock_timestamp())
    )


def exhausted(tx: Transaction) -> Sequence[sa.Row[Any]]:
    """Uploads whose last allowed checker died too, locked for being failed."""
    u = upload.c
    return tx.execute(
        sa.select(u.id, u.round, u.school, u.correlation, u.traceparent)
        .where(u.state == "checking", u.attempts >= ATTEMPTS, u.lease_until < sa.func.clock_timestamp())
        .with_for_update(skip_locked=True)
    ).all()


def hold(tx: Transaction, upload_ids: Collection[str]) -> set[str]:
    """Those that are still being checked, locked."""
    u = upload.c
    still = sa.select(u.id).where(is_one_of(u.id, upload_ids), u.state == "checking").order_by(u.id)
    return set(tx.execute(still.with_for_update()).scalars())


def end(tx: Transaction, upload_id: str, state: str, **values: Any) -> None:
    """Bring an upload to its end."""
    tx.execute(
        sa.update(upload).where(upload.c.id == upload_id).values(state=state, lease_until=None, **values)
    )


_ENDED = sa.update(upload).where(upload.c.id == sa.bindparam("upload_id"))
_REFUSED = _ENDED.values({name: sa.bindparam(name) for name in ("state", "reason")} | {"lease_until": None})
_RESULTS = ("state", "sha256", "pupils", "counts", "findings")
_FINISHED = _ENDED.values({name: sa.bindparam(name) for name in _RESULTS} | {"lease_until": None})


def refuse(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Bring uploads to an end without a version. Each: upload_id, state, reason."""
    if rows:
        tx.execute(_REFUSED, rows)


def finish(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Bring uploads to an end with a version. Each: upload_id, state, sha256, pupils, counts, findings."""
    if rows:
        tx.execute(_FINISHED, rows)


def mark_late(tx: Transaction, round_name: str, reason: dict[str, str]) -> list[str]:
    """Uploads the fence came before: bytes kept, school told. Returns the schools."""
    rows = tx.execute(
        sa.update(upload)
        .where(upload.c.round == round_name, upload.c.state.in_(("received", "checking")))
        .values(state="late", reason=reason, lease_until=None)
        .returning(upload.c.school)
    )
    return sorted(rows.scalars())


def unmark_late(tx: Transaction, round_name: str) -> None:
    """The fence was lifted: late uploads are checked after all."""
    tx.execute(
        sa.update(upload)
        .where(upload.c.round == round_name, upload.c.state == "late")
        .values(state="received", reason=None, attempts=0)
    )


def newest_in_place(
    tx: Transaction, round_name: str, schools: Collection[str]
) -> dict[str, tuple[datetime, int]]:
    """By school when the version in place arrived, be it new or the one there was, and its upload's number: of two waiting
    uploads the later wins."""
    u = upload.c
    rows = tx.execute(
        sa.select(u.school, u.arrived_at, u.number)
        .ext(distinct_on(u.school))
        .where(u.round == round_name, is_one_of(u.school, schools), u.state.in_(("accepted", "unchanged")))
        .order_by(u.school, u.arrived_at.desc(), u.number.desc())
    )
    return {row.school: (row.arrived_at, row.number) for row in rows}
