"""The attempts at closing a round, with intake's manifest for each: recorded as the messages come, in any order.

An attempt is live while it was not aborted and no later one was announced. Not here: what is done about it (settling).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.intake import ManifestEntry, ManifestSent
from services.contracts.manifest import manifest_digest
from services.dedup.tables import closure, manifest_entry, manifest_part, screened
from services.kit.database import Transaction
from services.kit.sql import is_one_of

ASK_AGAIN_SECONDS = 30


class ManifestMismatch(ValueError):
    """All parts of a manifest are here, but together they do not have the digest the fence named."""


def row_of(tx: Transaction, round_name: str, name: str) -> sa.Row[Any]:
    """The row of an attempt (made if missing), locked until the transaction ends."""
    tx.execute(insert(closure).values(round=round_name, closure=name).on_conflict_do_nothing())
    return tx.execute(sa.select(closure).where(_is(round_name, name)).with_for_update()).one()


def change(tx: Transaction, round_name: str, name: str, **values: object) -> None:
    tx.execute(sa.update(closure).where(_is(round_name, name)).values(**values))


def _is(round_name: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(closure.c.round == round_name, closure.c.closure == name)


def _live() -> sa.ColumnElement[bool]:
    later = closure.alias("later")
    superseded = sa.exists().where(later.c.round == closure.c.round, later.c.revision > closure.c.revision)
    return sa.and_(~closure.c.aborted, ~superseded)


def state(tx: Transaction, round_name: str) -> str:
    """open | fenced | sealed, for those who answer and decide."""
    rows = tx.execute(
        sa.select(closure.c.sealed).where(
            closure.c.round == round_name,
            sa.or_(closure.c.sealed, sa.and_(closure.c.fenced_at.is_not(None), _live())),
        )
    ).scalars()
    states = {"sealed" if sealed else "fenced" for sealed in rows}
    return "sealed" if "sealed" in states else "fenced" if states else "open"


def is_sealed(tx: Transaction, round_name: str) -> bool:
    sealed = sa.exists().where(closure.c.round == round_name, closure.c.sealed)
    return bool(tx.execute(sa.select(sealed)).scalar_one())


def keep_part(tx: Transaction, event: ManifestSent) -> None:
    """Store one part of the manifest, once."""
    named = {"round": event.round, "closure": event.closure}
    made = insert(manifest_part).values(part=event.part, **named).on_conflict_do_nothing()
    if tx.execute(made.returning(manifest_part.c.part)).first() is None or not event.entries:
        return
    rows = [
        {
            **named,
            "school": entry.school,
            "esa": entry.esa,
            "revision": entry.revision,
            "state": entry.state,
            "sha256": entry.sha256,
            "pupils": entry.pupils,
        }
        for entry in event.entries
    ]
    tx.execute(insert(manifest_entry).on_conflict_do_nothing(), rows)


def check_complete(tx: Transaction, round_name: str, name: str) -> None:
    """Mark the attempt complete once every part is here. Raises ManifestMismatch; the caller holds its row."""
    row = tx.execute(sa.select(closure).where(_is(round_name, name))).one()
    p = manifest_part.c
    count = sa.select(sa.func.count()).where(p.round == round_name, p.closure == name)
    if row.complete or row.parts is None or tx.execute(count).scalar_one() < row.parts:
        return
    if manifest_digest(_entries(tx, round_name, name)) != row.manifest_sha256:
        raise ManifestMismatch(f"the manifest of closure {name} does not have the digest named")
    change(tx, round_name, name, complete=True)


def _entries(tx: Transaction, round_name: str, name: str) -> list[ManifestEntry]:
    m = manifest_entry.c
    rows = tx.execute(
        sa.select(m.school, m.esa, m.revision, m.state, m.sha256, m.pupils).where(
            m.round == round_name, m.closure == name
        )
    )
    return [ManifestEntry(**row._mapping) for row in rows]


def named_at_fence(
    tx: Transaction, round_name: str, codes: Collection[str]
) -> dict[str, tuple[int, str | None]]:
    """school → (revision, sha256) in the newest manifest that has it, also of an aborted attempt: what it says of that
    revision stays true."""
    m = manifest_entry.c
    here = sa.and_(m.round == round_name, is_one_of(m.school, codes))
    rows = tx.execute(sa.select(m.school, m.revision, m.sha256).where(here).order_by(m.revision))
    return {row.school: (row.revision, row.sha256) for row in rows}


def to_fence(tx: Transaction) -> sa.Row[Any] | None:
    """An attempt whose manifest is whole and whose round still takes answers and decisions."""
    c = closure.c
    due = sa.and_(c.complete, c.fenced_at.is_(None), ~c.sealed, _live())
    return tx.execute(sa.select(closure).where(due).limit(1)).first()


def to_settle(tx: Transaction) -> Sequence[sa.Row[Any]]:
    """The fenced attempts that were not answered yet."""
    c = closure.c
    due = sa.and_(c.fenced_at.is_not(None), c.settled_at.is_(None), ~c.sealed, _live())
    return tx.execute(sa.select(c.round, c.closure).where(due).order_by(c.round)).all()


def claim(tx: Transaction, round_name: str, name: str) -> sa.Row[Any] | None:
    """Lock a fenced, unanswered, live attempt; None if another process has it or it is no longer one."""
    c = closure.c
    due = sa.and_(_is(round_name, name), c.fenced_at.is_not(None), c.settled_at.is_(None), ~c.sealed, _live())
    # The kit's round clock may stand still in a rehearsal; asking again goes by real time.
    ask = sa.or_(
        c.asked_at.is_(None),
        c.asked_at < sa.func.clock_timestamp() - sa.func.make_interval(0, 0, 0, 0, 0, 0, ASK_AGAIN_SECONDS),
    )
    query = sa.select(closure, ask.label("may_ask")).where(due)
    return tx.execute(query.with_for_update(of=closure, skip_locked=True)).first()


def lock_screened(tx: Transaction, round_name: str) -> None:
    """Hold every screened roll of the round where it is until the transaction ends."""
    tx.execute(
        sa.select(screened.c.school)
        .where(screened.c.round == round_name)
        .order_by(screened.c.school)
        .with_for_update()
    ).all()


def lacking(tx: Transaction, round_name: str, name: str) -> Sequence[str]:
    """Schools whose roster of the manifest is not the one screened."""
    m, s = manifest_entry.c, screened.c
    equal = sa.exists().where(s.round == m.round, s.school == m.school, s.sha256 == m.sha256)
    return (
        tx.execute(
            sa.select(m.school)
            .where(m.round == round_name, m.closure == name, m.sha256.is_not(None), ~equal)
            .order_by(m.school)
        )
        .scalars()
        .all()
    )


def surplus(tx: Transaction, round_name: str, name: str) -> Sequence[str]:
    """Schools screened with a roster of which the manifest knows nothing."""
    m, s = manifest_entry.c, screened.c
    known = sa.exists().where(
        m.round == s.round, m.school == s.school, m.closure == name, m.sha256.is_not(None)
    )
    return (
        tx.execute(
            sa.select(s.school).where(s.round == round_name, s.sha256 != "", ~known).order_by(s.school)
        )
        .scalars()
        .all()
    )
