"""The HTTP API of the buildings round. Views parse, ask one rule, change one school in one transaction, and answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from services.buildings import rules, tables
from services.buildings.overview import overview
from services.buildings.rules import Building
from services.buildings.schemas import CarrySchema, NothingSchema, RecordSchema, RetirementSchema
from services.buildings.site import Site, act_shapes, enter, match, record_shape, site_shape, visit
from services.contracts.refusal import Refusal
from services.kit.auth import principal
from services.kit.http import arrived, body, if_match, transaction

SCHOOL = "/api/v1/bobec/<round_name>/schools/<code>"
ONE = f"{SCHOOL}/buildings/<int:number>"
IMPORT_BYTES = 512 * 1024
records = Blueprint("buildings", __name__)


def blueprints() -> tuple[Blueprint, ...]:
    return (overview, records)


@records.get(SCHOOL)
def show(round_name: str, code: str) -> ResponseReturnValue:
    """One school's inventory: its state, and every act on it."""
    with transaction() as tx:
        site = visit(tx, principal(), round_name, code)
        acts = act_shapes(tables.acts(tx, round_name, code))
        return _tagged({**site_shape(site, arrived()), "acts": acts})


@records.get(f"{SCHOOL}/inventory")
def document(round_name: str, code: str) -> ResponseReturnValue:
    """The very bytes whose SHA-256 a confirmation names."""
    with transaction() as tx:
        held = visit(tx, principal(), round_name, code).buildings()
    answer = Response(rules.canonical(held), mimetype="application/json")
    answer.set_etag(rules.digest(held))
    return answer


@records.get(f"{SCHOOL}/buildings")
def list_(round_name: str, code: str) -> ResponseReturnValue:
    """The records of one school's inventory."""
    with transaction() as tx:
        site = visit(tx, principal(), round_name, code)
        held = tables.records(tx, round_name, code)
        shown = [record_shape(one, revision, site.plan.academic_year) for one, revision in held]
        return _tagged({**site_shape(site, arrived()), "buildings": shown})


@records.post(f"{SCHOOL}/buildings")
def add(round_name: str, code: str) -> ResponseReturnValue:
    """A new building or structure."""
    at = arrived()
    with transaction() as tx:
        site = enter(tx, principal(), round_name, code, at)
        rules.may_record(site.actor, site.state)
        new = _numbered(body(RecordSchema()), tables.next_number(tx, code))
        rules.built_by(site.plan.academic_year, [new])
        tables.insert_records(tx, round_name, code, [new])
        site.act(at, "added", new.number)
        answer = _record(site, new, 1)
    answer.status_code = 201
    answer.headers["Location"] = url_for("buildings.one", round_name=round_name, code=code, number=new.number)
    return answer


@records.get(ONE)
def one(round_name: str, code: str, number: int) -> ResponseReturnValue:
    """One record."""
    with transaction() as tx:
        site = visit(tx, principal(), round_name, code)
        return _record(site, *site.building(number))


@records.patch(ONE)
def change(round_name: str, code: str, number: int) -> ResponseReturnValue:
    """Change fields of one record."""
    at = arrived()
    with transaction() as tx:
        site = enter(tx, principal(), round_name, code, at)
        rules.may_record(site.actor, site.state)
        held, revision = site.building(number)
        match(if_match(), str(revision))
        changed = replace(held, **body(RecordSchema(partial=True)))  # type: ignore[arg-type]
        rules.built_by(site.plan.academic_year, [changed])
        return _changed(site, held, changed, revision, at, "changed")


@records.post(f"{ONE}/retirement")
def retire(round_name: str, code: str, number: int) -> ResponseReturnValue:
    """One step towards demolition or back."""
    at, step = arrived(), body(RetirementSchema())
    with transaction() as tx:
        site = enter(tx, principal(), round_name, code, at)
        held, revision = site.building(number)
        if held.use_status == step["to"]:
            return _record(site, held, revision)
        rules.may_retire(site.actor, site.state, held, str(step["to"]))
        changed = replace(held, use_status=str(step["to"]))
        return _changed(site, held, changed, revision, at, "retirement", document=step["document"])


@records.post(f"{SCHOOL}/carry-forward")
def carry_forward(round_name: str, code: str) -> ResponseReturnValue:
    """Last year's records; in a first round the list in the body. Sent twice, it answers the same."""
    request.max_content_length = IMPORT_BYTES
    at, given = arrived(), body(CarrySchema())
    with transaction() as tx:
        site = enter(tx, principal(), round_name, code, at)
        rules.may_record(site.actor, site.state)
        source = tables.earlier_round(tx, code, site.plan.academic_year)
        held = site.buildings()
        if not held:
            _carry(site, source, given)
            site.act(at, "carried-forward", source=source)
        elif site.row is None or site.row.carried is None or site.row.carried_from != source:
            raise _not_empty()
        row = tables.lock_inventory(tx, round_name, code)
        return jsonify(carried_from=row.carried_from, carried=row.carried, left_behind=row.left_behind)


@records.post(f"{SCHOOL}/confirmation")
def confirm(round_name: str, code: str) -> ResponseReturnValue:
    """By the school, then by the area; If-Match names the list that is meant."""
    at, tag, _ = arrived(), if_match(), body(NothingSchema())
    with transaction() as tx:
        site = enter(tx, principal(), round_name, code, at)
        state = rules.may_confirm(site.actor, site.state, confirmed_by=site.confirmed_by)
        match(tag, rules.digest(site.buildings()))
        if state != site.state:
            site.move(state, at)
            site.act(at, f"confirmed-by-{rules.LEVELS[state]}", sha256=tag)
        return _tagged(site_shape(visit(tx, principal(), round_name, code), at))


@records.delete(f"{SCHOOL}/confirmation")
def undo(round_name: str, code: str) -> ResponseReturnValue:
    """Each level takes its own confirmation back, the area's first."""
    at = arrived()
    with transaction() as tx:
        site = enter(tx, principal(), round_name, code, at)
        state = rules.may_undo(site.actor, site.state)
        site.move(state, at)
        site.act(at, f"undone-by-{rules.LEVELS[site.state]}")
        return _tagged(site_shape(visit(tx, principal(), round_name, code), at))


def _carry(site: Site, source: str | None, given: dict[str, Any]) -> None:
    imported = given.get("buildings")
    if source is not None:
        new, left = rules.carried(one for one, _ in tables.records(site.tx, source, site.code))
    elif imported is not None:
        first = tables.next_number(site.tx, site.code)
        new, left = [_numbered(one, first + i) for i, one in enumerate(imported)], []
    else:
        raise Refusal(
            409,
            "nothing-to-carry",
            "ไม่มีข้อมูลปีก่อน โปรดส่งรายการอาคารใน buildings",
            "There is nothing from an earlier year; send the list in buildings",
        )
    rules.built_by(site.plan.academic_year, new)
    tables.insert_records(site.tx, site.round, site.code, new)
    about = {"carried_from": source, "carried": len(new), "left_behind": left}
    tables.save_inventory(site.tx, site.round, site.code, **about)


def _numbered(record: dict[str, Any], number: int) -> Building:
    return Building(number=number, **record)


def _changed(
    site: Site, held: Building, changed: Building, revision: int, at: Any, act: str, **about: Any
) -> Response:
    if changed == held:
        return _record(site, held, revision)
    tables.update_record(site.tx, site.round, site.code, changed, revision + 1)
    names = sorted(name for name in Building.__slots__ if getattr(held, name) != getattr(changed, name))
    site.act(at, act, held.number, fields=names, use_status=changed.use_status, **about)
    return _record(site, changed, revision + 1)


def _record(site: Site, building: Building, revision: int) -> Response:
    answer = jsonify(record_shape(building, revision, site.plan.academic_year))
    answer.set_etag(str(revision))
    return answer


def _tagged(shape: dict[str, Any]) -> Response:
    answer = jsonify(shape)
    answer.set_etag(shape["sha256"])
    return answer


def _not_empty() -> Refusal:
    return Refusal(
        409,
        "inventory-not-empty",
        "มีข้อมูลอาคารในปีนี้แล้ว จึงนำข้อมูลมาทับไม่ได้",
        "This year's inventory already has records; nothing is carried over them",
    )
