"""Intake's part of closing a round: fence it in one short transaction, then send the manifest of every school.

The exclusive side of the round's lock is tried for a second at a time, so uploads and acts are never held up long.
"""

from __future__ import annotations

import sqlalchemy as sa

from services.contracts.intake import ManifestEntry, ManifestSent, RoundFenced
from services.contracts.manifest import manifest_digest, parts_of
from services.intake.tables import round_, rounds, submission, uploads
from services.kit.crash import crash_point
from services.kit.database import Transaction
from services.kit.service import Runtime

LATE = {
    "code": "late",
    "th": "รอบการจัดเก็บข้อมูลปิดก่อนที่ไฟล์นี้จะตรวจเสร็จ ระบบเก็บไฟล์ไว้ โปรดติดต่อเขตพื้นที่การศึกษา",
    "en": "The round closed before this file was checked; its bytes are kept, contact the area office",
}


def fence_rounds(runtime: Runtime) -> bool:
    """Fence one round whose closing was announced; False when there is none or acts are still under way."""
    with runtime.database.transaction() as tx:
        announced = tx.execute(sa.select(round_.c.name).where(round_.c.state == "closing").limit(1)).scalar()
    if announced is None:
        return False
    try:
        with runtime.database.transaction() as tx:
            tx.lock_exclusive(rounds.fence_name(announced), timeout_ms=1000)
            done = _fence(tx, announced)
    except sa.exc.OperationalError:
        return False
    crash_point("intake-after-fence")
    return done


def _fence(tx: Transaction, name: str) -> bool:
    current = tx.execute(sa.select(round_).where(round_.c.name == name).with_for_update()).one()
    if current.state != "closing":
        return False
    tx.execute(sa.update(round_).where(round_.c.name == name).values(state="fenced"))
    uploads.mark_late(tx, name, LATE)
    entries = manifest(tx, name)
    parts = parts_of(entries)
    closing = {"round": name, "closure": current.closure, "parts": len(parts)}
    tx.publish(
        RoundFenced(schools=len(entries), manifest_sha256=manifest_digest(entries), **closing), subject=name
    )
    for number, part in enumerate(parts):
        tx.publish(ManifestSent(part=number, entries=part, **closing), subject=name)
    return True


def manifest(tx: Transaction, name: str) -> list[ManifestEntry]:
    """Every school of the round as it stands, in order of code."""
    c = submission.c
    rows = tx.execute(
        sa.select(c.school, c.esa, c.revision, c.state, c.sha256, c.pupils)
        .where(c.round == name)
        .order_by(c.school)
    )
    return [ManifestEntry(**row._mapping) for row in rows]
