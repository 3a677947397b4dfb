"""One school in one buildings round, as a request or an act sees it: scope, window, lock, and the answer's shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.buildings import rules, tables
from services.buildings.rules import Actor, Building
from services.contracts.access import sees_school
from services.contracts.buildings import InventoryConfirmed
from services.contracts.calendar import Extension, RoundPlan, Window
from services.contracts.refusal import Refusal
from services.contracts.roster.codes import table
from services.contracts.thai_dates import window_words
from services.kit.auth import Principal
from services.kit.clock import Clock
from services.kit.database import Transaction
from services.kit.errors import not_found

MOST_NUMBER = 99_999
"""Of a building in an address: more than any school has, and the database can compare with it."""
CODE, ROUND = re.compile(r"[0-9]{1,10}"), re.compile(r"bobec-[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Site:
    """A school whose inventory this person may see; acts change it under `locked`."""

    tx: Transaction
    plan: RoundPlan
    window: Window
    code: str
    esa: str
    name: str
    esa_name: str
    actor: Actor
    row: sa.Row[Any] | None

    @property
    def round(self) -> str:
        return self.plan.name

    @property
    def state(self) -> str:
        return rules.RECORDING if self.row is None else str(self.row.state)

    @property
    def confirmed_by(self) -> str | None:
        return None if self.row is None else self.row.confirmed_by

    def buildings(self) -> list[Building]:
        return [one for one, _ in tables.records(self.tx, self.round, self.code)]

    def building(self, number: int) -> tuple[Building, int]:
        """(record, revision). Raises 404."""
        found = tables.record(self.tx, self.round, self.code, number) if number <= MOST_NUMBER else None
        if found is None:
            raise not_found()
        return found

    def act(self, at: datetime, name: str, number: int | None = None, **about: Any) -> None:
        """Keep the act, and the count of standing buildings that progress shows."""
        standing = rules.standing(self.buildings())
        tables.save_inventory(self.tx, self.round, self.code, standing=standing)
        tables.add_act(self.tx, at, self.round, self.code, name, self.actor.subject, number, **about)

    def move(self, state: str, at: datetime) -> None:
        """Take the inventory to another state of confirmation, and tell the others."""
        held = self.buildings()
        sha256 = rules.digest(held)
        previous = 0 if self.row is None else int(self.row.revision)
        revision = rules.next_revision(previous, int(Clock.real().timestamp() * 1000))
        recording = state == rules.RECORDING
        tables.save_inventory(
            self.tx,
            self.round,
            self.code,
            state=state,
            revision=revision,
            sha256=None if recording else sha256,
            confirmed_by=None if recording else self.confirmed_by or self.actor.subject,
        )
        self.tx.publish(
            InventoryConfirmed(
                round=self.round,
                school=self.code,
                esa=self.esa,
                revision=revision,
                level=rules.LEVELS[state],
                buildings=rules.standing(held),
                sha256=sha256,
                at=at.isoformat(),
            ),
            subject=self.code,
        )


def visit(tx: Transaction, who: Principal, round_name: str, code: str) -> Site:
    """The school in the round. Raises 404 for what is not there or not this person's to see."""
    if not CODE.fullmatch(code):
        raise not_found()
    school, plan, extensions = tables.find_school(tx, code), *find_plan(tx, round_name)
    if school is None or not sees_school(who.grants, code, school.esa):
        raise not_found()
    window = plan.window("record", school=code, extensions=extensions)
    actor = Actor.of(who.subject, who.grants, code, school.esa)
    row = tables.read_inventory(tx, round_name, code)
    return Site(tx, plan, window, code, school.esa, school.name, school.esa_name, actor, row)


def enter(tx: Transaction, who: Principal, round_name: str, code: str, at: datetime) -> Site:
    """The same for an act: the inventory is locked. Raises 409 outside the window."""
    seen = visit(tx, who, round_name, code)
    if not seen.actor.places():
        raise Refusal(
            403,
            "not-allowed",
            "บันทึกและยืนยันได้เฉพาะโรงเรียนและเขตพื้นที่ของโรงเรียน",
            "Only the school and its area record and confirm",
        )
    if not seen.window.is_open(at):
        th, en = window_words(seen.window)
        raise Refusal(
            409,
            "outside-window",
            f"ทำรายการนี้ได้เฉพาะช่วง {th}",
            f"This can be done only within {en}",
            window=window_shape(seen.window, at),
        )
    return replace(seen, row=tables.lock_inventory(tx, round_name, code))


def find_plan(tx: Transaction, round_name: str) -> tuple[RoundPlan, tuple[Extension, ...]]:
    """The round's calendar and extensions. Raises 404."""
    found = tables.find_round(tx, round_name) if ROUND.fullmatch(round_name) else None
    if found is None:
        raise not_found()
    extensions = tuple(Extension.from_plain(one) for one in found.extensions)
    return RoundPlan.from_plain(found.plan), extensions


def match(tag: str, current: str) -> None:
    """Raises 412 unless the person saw what is there now."""
    if tag != current:
        raise Refusal(
            412,
            "stale",
            "ข้อมูลถูกเปลี่ยนแปลงหลังจากที่ท่านเปิดดู โปรดเปิดดูใหม่",
            "This was changed after you looked at it; look at it again",
            current=current,
        )


def record_shape(building: Building, revision: int, academic_year: int) -> dict[str, Any]:
    """One record as JSON."""
    labels = {value.code: value.label for value in table("building_type").values}
    th, en = rules.USE_STATUS[building.use_status]
    shown = asdict(building) | {"age": building.age(academic_year), "revision": revision}
    return shown | {"type_th": labels.get(building.type, ""), "use_status_th": th, "use_status_en": en}


def site_shape(site: Site, at: datetime) -> dict[str, Any]:
    """One school's inventory without its records: state, hash, who may do what."""
    held = site.buildings()
    return {
        "school": site.code,
        "name": site.name,
        "esa": site.esa,
        "esa_name": site.esa_name,
        "round": site.round,
        "state": site.state,
        "sha256": rules.digest(held),
        "buildings": rules.standing(held),
        "records": len(held),
        "carried_from": None if site.row is None else site.row.carried_from,
        "window": window_shape(site.window, at),
        "may": rules.may(
            site.actor, site.state, window_open=site.window.is_open(at), confirmed_by=site.confirmed_by
        ),
    }


def act_shapes(rows: Sequence[sa.Row[Any]]) -> list[dict[str, Any]]:
    return [
        {"act": row.act, "number": row.number, "by": row.by, "at": row.at.isoformat(), **row.about}
        for row in rows
    ]


def window_shape(window: Window, at: datetime) -> dict[str, Any]:
    return {
        "opens": window.opens.isoformat(),
        "closes": window.closes.isoformat(),
        "open": window.is_open(at),
    }
