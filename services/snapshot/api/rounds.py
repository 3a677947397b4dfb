"""The rounds: what may be done when, what is open now, and headquarters opening a round or giving schools more time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from flask import Blueprint, jsonify, url_for
from flask.typing import ResponseReturnValue

from services.contracts.calendar import BANGKOK, Activity, Extension, RoundPlan
from services.kit.auth import principal
from services.kit.database import Transaction
from services.kit.errors import Problem
from services.kit.http import body, runtime, transaction
from services.snapshot import calendars, schemas
from services.snapshot.api.desk import is_hq, only_hq, open_round, own_schools
from services.snapshot.tables import register, rounds
from services.snapshot.tables.rounds import Round

blueprint = Blueprint("rounds", __name__)
PLANNED, OPEN = "planned", "open"


@blueprint.get("/api/v1/rounds")
def list_rounds() -> ResponseReturnValue:
    """Every round; headquarters also sees those of the calendars that are not opened yet."""
    with transaction() as tx:
        found = rounds.all_rounds(tx)
    if is_hq():
        opened = {one.name for one in found}
        plans = calendars.plans(runtime().parts).values()
        found += [Round(plan.name, 0, plan, (), PLANNED) for plan in plans if plan.name not in opened]
    return jsonify(rounds=[_shape(one) for one in found])


@blueprint.get("/api/v1/rounds/<round_name>")
def get_round(round_name: str) -> ResponseReturnValue:
    """One round: its calendar, and what is open now."""
    with transaction() as tx:
        return jsonify(_shape(open_round(tx, round_name)))


@blueprint.post("/api/v1/rounds")
def open_from_calendar() -> ResponseReturnValue:
    """Open a round of the calendar. Again: the same answer; with a corrected calendar, the new plan is told."""
    only_hq()
    name = cast(str, body(schemas.Opening())["round"])
    plan = calendars.plan_of(runtime().parts, name)
    with transaction() as tx:
        status = 200 if _reopened(tx, plan) else 201
        if status == 201:
            rounds.add_round(tx, plan, principal().subject)
        answer = jsonify(_shape(open_round(tx, name)))
    answer.headers["Location"] = url_for("rounds.get_round", round_name=name)
    return answer, status


def _reopened(tx: Transaction, plan: RoundPlan) -> bool:
    """Whether the round was open already; an open one takes over a plan that changed since."""
    tx.lock_exclusive(f"snapshot-open-{plan.name}", timeout_ms=5000)
    held = rounds.lock_round(tx, plan.name)
    if held is not None and held.state == OPEN and held.plan != plan:
        rounds.change_round(tx, held, plan=plan)
    return held is not None


@blueprint.post("/api/v1/rounds/<round_name>/extensions")
def extend(round_name: str) -> ResponseReturnValue:
    """Give named schools more time. What they have already changes nothing."""
    only_hq()
    wanted = body(schemas.Prolongation())
    with transaction() as tx:
        held = open_round(tx, round_name, lock=True)
        granted = _granted(tx, held, wanted)
        if granted:
            rounds.change_round(tx, held, extensions=granted)
        return jsonify(_shape(open_round(tx, round_name)))


def _granted(tx: Transaction, held: Round, wanted: dict[str, Any]) -> list[Extension]:
    if held.state != OPEN:
        raise Problem(409, "round-closing", "รอบนี้กำลังปิดหรือปิดแล้ว", "This round is being closed, or is closed")
    if wanted["activity"] not in held.plan.keys:
        raise Problem(
            422,
            "unknown-activity",
            f"กิจกรรมของรอบนี้คือ {', '.join(held.plan.keys)}",
            f"The activities of this round are {', '.join(held.plan.keys)}",
        )
    strangers = register.unknown_schools(tx, wanted["schools"])
    if strangers:
        raise Problem(
            422,
            "unknown-schools",
            f"ไม่มีโรงเรียนรหัส {', '.join(strangers[:20])} ในบัญชี",
            f"The register does not have the schools {', '.join(strangers[:20])}",
            schools=strangers,
        )
    until: datetime = wanted["until"].astimezone(BANGKOK)
    given = {(e.activity, e.school): e.until for e in held.extensions}
    return [
        Extension(wanted["activity"], code, until)
        for code in dict.fromkeys(wanted["schools"])
        if given.get((wanted["activity"], code)) != until
    ]


def _shape(one: Round) -> dict[str, Any]:
    now, plan = runtime().clock.now(), one.plan
    activities = [_activity(one, row, now) for row in plan.activities]
    shown = {
        "round": one.name,
        "kind": plan.kind,
        "academic_year": plan.academic_year,
        "term": plan.term,
        "label_th": plan.label_th,
        "label_en": plan.label_en,
        "state": one.state,
        "revision": one.revision,
        "count_day": plan.count_day.isoformat(),
        "now": now.isoformat(),
        "activities": activities,
        "open_now": [activity["key"] for activity in activities if activity["open"]],
    }
    return shown | ({"extensions": [e.to_plain() for e in one.extensions]} if is_hq() else {})


def _activity(one: Round, row: Activity, now: datetime) -> dict[str, Any]:
    """The activity's window; for people of one school with what it was given."""
    own = own_schools()
    school = own[0] if len(own) == 1 else ""
    window = one.plan.window(row.key, school=school, extensions=one.extensions)
    return {
        "key": row.key,
        "th": row.th,
        "en": row.en,
        "who": list(row.who),
        "opens": window.opens.isoformat(),
        "closes": window.closes.isoformat(),
        "open": one.state != PLANNED and window.is_open(now),
        "certainty": row.certainty,
        "note": row.note,
    }
