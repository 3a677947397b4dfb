"""An area's page: its schools by state, acknowledging those that certified, and its open duplicates.

No pupil is shown here: a duplicate names schools, and the sentences they wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from gateway.portal.language import STATES, reason, t
from gateway.portal.neighbours import Away, Refused, ask, part, path
from gateway.portal.pages.answers import Answer, local, tried, typed
from gateway.portal.sessions import person, signed_in
from services.contracts.access import AREA, HQ

LISTED = 300  # the largest area has some 270 schools


def blueprint() -> Blueprint:
    area = Blueprint("area", __name__, url_prefix="/rounds/<round>")
    area.add_url_rule("/areas/<esa>", "progress", progress)
    area.add_url_rule("/areas/<esa>/acknowledgements", "acknowledge", acknowledge, methods=["POST"])
    area.add_url_rule("/duplicates", "duplicates", duplicates)
    area.add_url_rule("/duplicates/<case>/decision", "decide", decide, methods=["POST"])
    return area


@signed_in(AREA, HQ)
def progress(round: str, esa: str) -> Answer:
    """Schools of one area; `state` narrows the list."""
    state = request.args.get("state", "")
    wanted = {"esa": esa, "limit": LISTED, "state": state, "cursor": request.args.get("cursor")}
    answer = ask("GET", path("rounds", round, "schools"), params=wanted)
    return render_template(
        "area.html",
        round=round,
        esa=esa,
        state=state if state in STATES else "",
        schools=answer["schools"],
        next=answer.get("next"),
        shares=shares(answer.get("summary") or {}),
        summary=answer.get("summary") or {},
        waiting=[one for one in answer["schools"] if one["state"] == "certified"],
        duplicates=part(path("rounds", round, "duplicates"), "cases", esa=esa, state="open"),
    )


@signed_in(AREA)
def acknowledge(round: str, esa: str) -> Answer:
    """Acknowledge the ticked schools, each by the hash that was on the screen; refusals are named."""
    done, refused = 0, []
    for ticked in request.form.getlist("school")[:LISTED]:
        school, _, sha256 = ticked.partition(":")
        try:
            ask("POST", path("rounds", round, "schools", school, "acknowledgement"), if_match=sha256[:64])
            done += 1
        except Away as problem:
            if not done:
                raise
            refused.append(f"{school[:10]}: {reason(problem)}")
        except Refused as problem:
            refused.append(f"{school[:10]}: {reason(problem)}")
    if done:
        flash(t(f"รับทราบแล้ว {done} โรงเรียน", f"Acknowledged {done} schools"), "success")
    for text in refused[:10]:
        flash(text, "danger")
    if not done and not refused:
        flash(t("ยังไม่ได้เลือกโรงเรียน", "No school was ticked"), "warning")
    return redirect(url_for("area.progress", round=round, esa=esa), 303)


@signed_in(AREA, HQ)
def duplicates(round: str) -> Answer:
    """Duplicate cases of the area (all areas for headquarters), the open ones first asked for."""
    state = request.args.get("state", "open")
    grant = person().grant
    esa = grant.scope if grant.role == AREA else request.args.get("esa", "")
    wanted = {"esa": esa, "state": state, "cursor": request.args.get("cursor")}
    answer = ask("GET", path("rounds", round, "duplicates"), params=wanted)
    return render_template(
        "duplicates.html",
        round=round,
        esa=esa,
        state=state if state in ("open", "decided", "cleared") else "open",
        cases=answer["cases"],
        next=answer.get("next"),
    )


@signed_in(AREA, HQ)
def decide(round: str, case: str) -> Answer:
    wanted = {"belongs_to": typed("belongs_to", most=20), "reason": typed("reason")}
    back = local(request.form.get("next")) or url_for("area.duplicates", round=round)
    return tried(
        lambda: ask("POST", path("duplicates", case, "decision"), json=wanted),
        ("บันทึกคำตัดสินแล้ว ทุกโรงเรียนที่เกี่ยวข้องเห็นทันที", "Decided; every school concerned sees it now"),
        back,
    )


def shares(summary: Mapping[str, Any]) -> list[tuple[str, int, float]]:
    """(state, schools, share from 0 to 1) for each state that some school is in, in the order of the round."""
    by_state: Mapping[str, int] = summary.get("by_state") or {}
    total = sum(by_state.values())
    return [(state, by_state[state], by_state[state] / total) for state in STATES if by_state.get(state)]
