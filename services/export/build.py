"""The job that builds packages: take one that is due, stream the sealed rosters' extracts into files, check them against the
seal, move the files into place, and say so. Killed at any moment it leaves nothing but a lease that runs out."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.contracts.calendar import RoundPlan
from services.contracts.export import PackageBuilt
from services.contracts.statements import Seal
from services.export import tables
from services.export.extracts import Unavailable, fetch
from services.export.files import HashedFile, Store, shapes, write_whole
from services.export.rules import description, layout, pages
from services.export.rules.description import FileFacts
from services.export.rules.faults import PackageFault
from services.export.rules.layout import SchoolFacts, Term
from services.export.rules.pages import Lines
from services.export.rules.sealed import Audit, genuine_seal
from services.export.tables import Lease, LeaseLost
from services.kit.ahead import ahead
from services.kit.crash import crash_point
from services.kit.service import Runtime

log = logging.getLogger(__name__)
RENEW_SECONDS = 2.0
AWAY_SECONDS = 15
_UNAVAILABLE = {
    "code": "snapshot-unavailable",
    "th": "บริการ snapshot ยังไม่ส่งข้อมูลให้ ระบบจะลองใหม่เอง",
    "en": "The snapshot service does not give the data yet; this is tried again by itself",
}
_NO_STORAGE = {
    "code": "storage-unavailable",
    "th": "เขียนไฟล์ไม่ได้ (พื้นที่เต็มหรือไม่มีสิทธิ์) ระบบจะลองใหม่เอง",
    "en": "The files cannot be written (disk full, or not permitted); this is tried again by itself",
}


def build_package(runtime: Runtime) -> bool:
    """Build one package that is due, if any."""
    with runtime.database.transaction() as tx:
        lease = tables.take(tx)
    if lease is None:
        return False
    try:
        _build(runtime, lease)
    except LeaseLost:
        log.warning("package taken over by another process", extra={"export": lease.export})
    except PackageFault as fault:
        log.error("package cannot be built", extra={"export": lease.export, "error": fault.code})
        with runtime.database.transaction() as tx:
            tables.fail(tx, lease, {"code": fault.code, "th": fault.th, "en": fault.en})
    except Unavailable as away:
        _put_off(runtime, lease, {**_UNAVAILABLE, "status": str(away.status)})
    except OSError:
        _put_off(runtime, lease, _NO_STORAGE)
    return True


def _put_off(runtime: Runtime, lease: Lease, error: Mapping[str, str]) -> None:
    log.warning("package put off", extra={"export": lease.export, "error": error["code"]})
    with runtime.database.transaction() as tx:
        tables.put_off(tx, lease, AWAY_SECONDS, error)


@dataclass(frozen=True, slots=True)
class Order:
    """What a package is made from, as the database had it when the lease was taken."""

    lease: Lease
    plan: RoundPlan
    statement: dict[str, Any]
    seal: Seal
    facts: Mapping[str, SchoolFacts]

    @property
    def term(self) -> Term:
        return Term(self.plan.academic_year, self.plan.term)


def _build(runtime: Runtime, lease: Lease) -> None:
    order = _order(runtime, lease)
    store = Store(runtime.settings.data)
    with store.workplace(lease.export, lease.attempt) as place:
        schools, students = _write_tables(runtime, order, place)
        created = runtime.clock.now()
        described = description.describe(
            package=lease.export,
            round_name=lease.round,
            label={"th": order.plan.label_th, "en": order.plan.label_en},
            seal=order.statement,
            schools=schools,
            students=students,
            created=created,
        )
        manifest = write_whole(place / description.FILE, described)
        with runtime.database.transaction() as tx:
            files = shapes((manifest, schools, students))
            tables.finish(
                tx, lease, files=files, rows=students.rows, schools_done=schools.rows, built_at=created
            )
            store.publish(place, lease.export)
            crash_point("export-before-commit")
            tx.publish(
                PackageBuilt(
                    round=lease.round,
                    package=lease.export,
                    root=order.seal.root,
                    manifest_sha256=manifest.sha256,
                    rows=students.rows,
                    at=created.isoformat(),
                ),
                subject=lease.round,
            )


def _order(runtime: Runtime, lease: Lease) -> Order:
    with runtime.database.transaction() as tx:
        row = tables.find_round(tx, lease.round)
        assert row is not None, "an export of a round that was never heard of"
        plan = RoundPlan.from_plain(row.plan)
        facts = tables.school_facts(tx, f"bobec-{plan.academic_year}")
    seal = genuine_seal(row.seal, runtime.keys.jwks, lease.round)
    return Order(lease, plan, row.seal, seal, facts)


def _write_tables(runtime: Runtime, order: Order, place: Path) -> tuple[FileFacts, FileFacts]:
    """schools.csv and students.csv, some schools at a time. Receiving, turning into lines and writing go on at once, each some pages
    ahead of the next; nothing but those is in memory."""
    audit, beat = Audit(order.seal), _Beat(runtime, order.lease)
    schools = HashedFile(place / "schools.csv", pages.header_line(layout.SCHOOLS))
    students = HashedFile(place / "students.csv", pages.header_line(layout.STUDENTS))
    try:
        for lines in ahead(_lines(runtime, order, audit)):
            schools.append(lines.schools, rows=lines.school_rows)
            students.append(lines.students, rows=lines.student_rows)
            beat.maybe(schools.rows, students.rows)
            crash_point("export-after-page")
        audit.close()
        return schools.close(), students.close()
    finally:
        schools.abandon()
        students.abandon()


def _lines(runtime: Runtime, order: Order, audit: Audit) -> Iterator[Lines]:
    client: httpx.Client = runtime.parts["snapshot"]
    received = fetch(client, runtime.keys.service_token("export"), order.lease.round)
    for page in ahead(pages.pages(received, audit)):
        yield pages.lines_of(page, order.facts, order.term)


class _Beat:
    """Renews the lease and shows progress every RENEW_SECONDS."""

    def __init__(self, runtime: Runtime, lease: Lease) -> None:
        self._runtime, self._lease = runtime, lease
        self._last = time.monotonic()

    def maybe(self, schools_done: int, rows: int) -> None:
        if time.monotonic() - self._last < RENEW_SECONDS:
            return
        with self._runtime.database.transaction() as tx:
            tables.renew(tx, self._lease, schools_done=schools_done, rows=rows)
        self._last = time.monotonic()
