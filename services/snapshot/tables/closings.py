"""Queries on the attempts at closing a round, and on what intake and dedup sent for them.

An attempt changes under its round's row lock only. What arrives for an attempt that is unknown or aborted is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.contracts.dedup import Outcome, RoundSettled
from services.contracts.event import to_plain
from services.contracts.intake import ManifestEntry, ManifestSent, RoundFenced
from services.kit.database import Transaction
from services.snapshot.rules.awaiting import Progress
from services.snapshot.rules.closing import Closing, NotNow, SettledPart
from services.snapshot.rules.comparison import Comparison, Heard
from services.snapshot.tables import (
    closure,
    fence,
    manifest_entry,
    manifest_part,
    outcome,
    settlement,
    submission,
)

ASK_AGAIN_SECONDS = 30
UNDER_WAY = ("closing", "fenced", "settled", "compared")


def add(tx: Transaction, closing: Closing, by: str) -> None:
    at = tx.now()
    first = [{"step": closing.phase, "at": at.isoformat()}]
    tx.execute(
        sa.insert(closure).values(
            id=closing.closure,
            round=closing.round,
            phase=closing.phase,
            announced_by=by,
            announced_at=at,
            steps=first,
        )
    )


def latest(tx: Transaction, round_name: str) -> sa.Row[Any] | None:
    """The attempt announced last, also an aborted one."""
    c = closure.c
    return tx.execute(
        sa.select(closure).where(c.round == round_name).order_by(c.number.desc()).limit(1)
    ).one_or_none()


def closing_of(row: sa.Row[Any]) -> Closing:
    return Closing(
        round=row.round,
        closure=row.id,
        phase=row.phase,
        manifest_sha256=row.manifest_sha256,
        parts=row.parts,
        schools=row.schools,
    )


def rounds_under_way(tx: Transaction) -> Sequence[str]:
    """Rounds whose closing may be able to take a step: not those that wait for headquarters to abort."""
    c = closure.c
    return (
        tx.execute(sa.select(c.round).where(c.phase.in_(UNDER_WAY), c.refusal.is_(None)).order_by(c.round))
        .scalars()
        .all()
    )


def step(tx: Transaction, row: sa.Row[Any], after: Closing) -> str:
    """Write the next state, and when it was reached; returns its phase."""
    steps = row.steps
    if after.phase != row.phase:
        steps = [*steps, {"step": after.phase, "at": tx.now().isoformat()}]
    told = {"manifest_sha256": after.manifest_sha256, "parts": after.parts, "schools": after.schools}
    _change(tx, row.id, phase=after.phase, steps=steps, **told)
    return after.phase


def refuse(tx: Transaction, row: sa.Row[Any], refusal: NotNow) -> None:
    """This attempt cannot go on: say why, and wait for headquarters to abort it."""
    told = {
        "code": refusal.code,
        "th": refusal.th,
        "en": refusal.en,
        "schools": refusal.more.get("schools", []),
    }
    _change(tx, row.id, refusal=told)


def keep_comparison(tx: Transaction, row: sa.Row[Any], comparison: Comparison, *, asked: bool) -> None:
    told = {"comparison": to_plain(comparison)}
    _change(tx, row.id, **told, **({"asked_at": sa.func.clock_timestamp()} if asked else {}))


def comparison_of(row: sa.Row[Any]) -> Comparison | None:
    if row.comparison is None:
        return None
    return Comparison(**{name: tuple(schools) for name, schools in row.comparison.items()})


def may_ask(tx: Transaction, row: sa.Row[Any]) -> bool:
    """Whether the missing documents were not asked for lately. By real time: the round clock may stand still."""
    if row.asked_at is None:
        return True
    now: datetime = tx.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    asked: datetime = row.asked_at
    return (now - asked).total_seconds() >= ASK_AGAIN_SECONDS


def _change(tx: Transaction, closure_id: str, **values: object) -> None:
    tx.execute(sa.update(closure).where(closure.c.id == closure_id).values(**values))


def is_live(tx: Transaction, round_name: str, closure_id: str) -> bool:
    """Whether this attempt was announced here and not given up."""
    c = closure.c
    known = sa.select(c.id).where(c.id == closure_id, c.round == round_name, c.phase != "aborted")
    return tx.execute(known).first() is not None


def keep_fence(tx: Transaction, event: RoundFenced) -> None:
    told = {"parts": event.parts, "schools": event.schools, "manifest_sha256": event.manifest_sha256}
    tx.execute(insert(fence).values(closure=event.closure, **told).on_conflict_do_nothing())


def keep_part(tx: Transaction, event: ManifestSent) -> None:
    """Store one part of the manifest, once."""
    named = {"closure": event.closure, "part": event.part}
    made = insert(manifest_part).values(named).on_conflict_do_nothing()
    if tx.execute(made.returning(manifest_part.c.part)).first() is None or not event.entries:
        return
    rows = (
        (event.closure, e.school, event.part, e.esa, e.revision, e.state, e.sha256, e.pupils)
        for e in event.entries
    )
    tx.copy(manifest_entry, rows)


def keep_settlement(tx: Transaction, event: RoundSettled) -> None:
    """Store one part of dedup's outcomes, once."""
    named = {"closure": event.closure, "part": event.part}
    told = {"parts": event.parts, "manifest_sha256": event.manifest_sha256}
    made = insert(settlement).values(**named, **told).on_conflict_do_nothing()
    if tx.execute(made.returning(settlement.c.part)).first() is None or not event.outcomes:
        return
    rows = (
        (event.closure, event.part, number, one.school, one.sha256, one.line, one.reason, one.case)
        for number, one in enumerate(event.outcomes)
    )
    tx.copy(outcome, rows)


def fenced(tx: Transaction, row: sa.Row[Any]) -> RoundFenced | None:
    """What intake said of its fence, if it did."""
    told = tx.execute(sa.select(fence).where(fence.c.closure == row.id)).one_or_none()
    return RoundFenced(round=row.round, **told._mapping) if told else None


def progress(tx: Transaction, row: sa.Row[Any]) -> Progress:
    """How much has arrived."""
    p, s = manifest_part.c, settlement.c
    manifest_parts = sa.select(sa.func.count()).select_from(manifest_part).where(p.closure == row.id)
    settled = sa.select(sa.func.count().label("here"), sa.func.max(s.parts).label("of"))
    outcomes_sent = tx.execute(settled.where(s.closure == row.id)).one()
    return Progress(
        manifest_parts=tx.execute(manifest_parts).scalar_one(),
        outcome_parts=outcomes_sent.here,
        outcome_parts_of=outcomes_sent.of,
        comparison=comparison_of(row),
    )


def manifest(tx: Transaction, closure_id: str) -> list[ManifestEntry]:
    """Every entry that arrived, in order of school code."""
    m = manifest_entry.c
    rows = tx.execute(
        sa.select(m.school, m.esa, m.revision, m.state, m.sha256, m.pupils)
        .where(m.closure == closure_id)
        .order_by(m.school, m.part)
    )
    return [ManifestEntry(**row._mapping) for row in rows]


def heard_since(tx: Transaction, row: sa.Row[Any]) -> dict[str, Heard]:
    """By school, what intake told of a submission of which the manifest has an older revision or
    nothing."""
    m, s = manifest_entry.c, submission.c
    rows = tx.execute(
        sa.select(s.school, s.revision, s.state, s.sha256)
        .outerjoin(manifest_entry, sa.and_(m.school == s.school, m.closure == row.id))
        .where(s.round == row.round, sa.or_(m.school.is_(None), s.revision > m.revision))
    )
    return {one.school: Heard(one.revision, one.state, one.sha256) for one in rows}


def settled_parts(tx: Transaction, closure_id: str) -> list[SettledPart]:
    s = settlement.c
    rows = tx.execute(sa.select(s.part, s.parts, s.manifest_sha256).where(s.closure == closure_id))
    return [SettledPart(row.part, row.parts, row.manifest_sha256) for row in rows]


def outcomes(tx: Transaction, closure_id: str) -> list[Outcome]:
    o = outcome.c
    rows = tx.execute(
        sa.select(o.school, o.sha256, o.line, o.reason, o.case)
        .where(o.closure == closure_id)
        .order_by(o.school, o.line, o.case)
    )
    return [Outcome(**row._mapping) for row in rows]
