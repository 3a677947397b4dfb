"""Headquarters' pages: progress of the nation, closing the round, the budget table and the EDC package."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for

from gateway.portal.language import STATES, word
from gateway.portal.neighbours import Away, Refused, ask, fetch, part, path
from gateway.portal.pages.answers import Answer, tried, typed
from gateway.portal.pages.area import shares
from gateway.portal.sessions import signed_in
from services.contracts.access import HQ

STEPS = ("closing", "fenced", "settled", "compared", "sealed")
_LISTED = 100


def blueprint() -> Blueprint:
    nation = Blueprint("nation", __name__)
    nation.add_url_rule("/exports/<export>/<name>", "package_file", package_file)
    nation.add_url_rule("/rounds/<round>/nation", "progress", progress)
    nation.add_url_rule("/rounds/<round>/nation/state", "closure_state", closure_state)
    nation.add_url_rule("/rounds/<round>/nation/package", "package_state", package_state)
    nation.add_url_rule("/rounds/<round>/nation/schools", "schools", schools)
    nation.add_url_rule("/rounds/<round>/nation/closure", "close", close, methods=["POST"])
    nation.add_url_rule(
        "/rounds/<round>/nation/closure/abort", "abort_closing", abort_closing, methods=["POST"]
    )
    nation.add_url_rule("/rounds/<round>/nation/budget", "budget", budget)
    nation.add_url_rule("/rounds/<round>/nation/exports", "build", build, methods=["POST"])
    return nation


@signed_in(HQ)
def progress(round: str) -> Answer:
    """One page for the day: how far the schools are, what closing awaits, the seal, the package."""
    schools = part(path("rounds", round, "schools"), "summary", limit=1)
    closure = _closure(round)
    sealed = closure.get("state") == "sealed"
    return render_template(
        "nation.html",
        round=round,
        schools=schools,
        shares=shares(schools.data or {}),
        unfinished=_unfinished(schools.data or {}),
        closure=closure,
        steps=STEPS,
        building=building,
        seal=part(path("rounds", round, "snapshot"), "seal") if sealed else None,
        counts=part(path("rounds", round, "reports", "counts")) if sealed else None,
        exports=part(path("rounds", round, "exports"), "exports") if sealed else None,
    )


@signed_in(HQ)
def closure_state(round: str) -> Response:
    """For the page's script: whether closing still moves."""
    state = str(_closure(round).get("state") or "")
    return jsonify(waiting=state in STEPS[:-1], text=word("step", state))


@signed_in(HQ)
def package_state(round: str) -> Response:
    """For the page's script: whether a package is still being built."""
    found = ask("GET", path("rounds", round, "exports"))["exports"]
    newest = found[0] if found else {}
    state = str(newest.get("state") or "")
    return jsonify(waiting=state in ("queued", "building"), text=building(newest))


def building(export: dict[str, Any]) -> str:
    """State and progress of a package."""
    progress = export.get("progress") or {}
    done = f" {progress.get('schools', 0)}/{progress['total']}" if progress.get("total") else ""
    return word("export", export.get("state")) + done


@signed_in(HQ)
def schools(round: str) -> Answer:
    """The schools in one state, page by page: who is awaited."""
    state = request.args.get("state", "")
    wanted = {"state": state, "cursor": request.args.get("cursor"), "limit": _LISTED}
    answer = ask("GET", path("rounds", round, "schools"), params=wanted)
    return render_template(
        "schools.html",
        round=round,
        state=state if state in STATES else "",
        schools=answer["schools"],
        next=answer.get("next"),
    )


@signed_in(HQ)
def close(round: str) -> Answer:
    """Begin closing; the name of the round is typed, so that it is never one click too many."""
    if typed("really", most=20) != round:
        abort(400)
    return tried(
        lambda: ask("POST", path("rounds", round, "closure"), json={}),
        ("เริ่มปิดรอบแล้ว", "Closing has begun"),
        url_for("nation.progress", round=round),
    )


@signed_in(HQ)
def abort_closing(round: str) -> Answer:
    return tried(
        lambda: ask("DELETE", path("rounds", round, "closure")),
        ("ยกเลิกการปิดรอบแล้ว โรงเรียนทำงานต่อได้", "Closing is aborted; schools can go on"),
        url_for("nation.progress", round=round),
    )


@signed_in(HQ)
def budget(round: str) -> Answer:
    """The budget table of a sealed round, for the nation, an area or a school."""
    wanted = {"esa": request.args.get("esa", "").strip(), "school": request.args.get("school", "").strip()}
    table = ask("GET", path("rounds", round, "budget"), params=wanted)
    return render_template("budget.html", round=round, table=table, wanted=wanted)


@signed_in(HQ)
def build(round: str) -> Answer:
    return tried(
        lambda: ask("POST", path("rounds", round, "exports"), json={}),
        ("เริ่มสร้างชุดข้อมูล EDC แล้ว", "The EDC package is being built"),
        url_for("nation.progress", round=round, _anchor="package"),
    )


@signed_in(HQ)
def package_file(export: str, name: str) -> Response:
    """One file of a package, streamed through."""
    chunks, headers = fetch(path("exports", export, "files", name), accept="*/*")
    response = Response(chunks, content_type=headers.get("Content-Type", "application/octet-stream"))
    response.headers.set("Content-Disposition", "attachment", filename=name)
    for kept in ("ETag", "Content-Length", "Content-Digest"):
        if kept in headers:
            response.headers[kept] = headers[kept]
    return response


def _closure(round: str) -> dict[str, Any]:
    """The closing as snapshot tells it; {} while there is none, {"problem": …} if it cannot be had."""
    try:
        found: dict[str, Any] = ask("GET", path("rounds", round, "closure"))
    except (Refused, Away) as problem:
        return {} if problem.status == 404 else {"problem": problem}
    return found


def _unfinished(summary: dict[str, Any]) -> list[tuple[str, int]]:
    """(state, schools) of those that would not be counted if the round were closed now."""
    by_state = summary.get("by_state") or {}
    return [(state, by_state[state]) for state in list(STATES)[:4] if by_state.get(state)]
