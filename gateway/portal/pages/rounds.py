"""The rounds and their calendars; headquarters opens a round and extends a window for named schools here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, render_template, url_for

from gateway.portal.neighbours import ask, path
from gateway.portal.pages.answers import Answer, tried, typed
from gateway.portal.sessions import signed_in
from services.contracts.access import AREA, CLERK, DIRECTOR, HQ, Grant

Round = Mapping[str, Any]
_UNDER_WAY = ("closing", "fenced", "settled", "compared", "aborted")


def blueprint() -> Blueprint:
    rounds = Blueprint("rounds", __name__)
    rounds.add_url_rule("/rounds", "calendar", calendar)
    rounds.add_url_rule("/rounds/open", "open_round", open_round, methods=["POST"])
    rounds.add_url_rule("/rounds/<round>/extensions", "extend", extend, methods=["POST"])
    return rounds


def current(rounds: Sequence[Round]) -> Round | None:
    """The round people most likely come for: the open roster round, else one being closed, else the last sealed."""
    rosters = [one for one in rounds if one.get("kind", "roster") == "roster"]
    for states in (("open",), _UNDER_WAY, ("sealed",)):
        found = [one for one in rosters if one.get("state") in states]
        if found:
            return max(found, key=lambda one: str(one.get("count_day", "")))
    return None


def page_of(grant: Grant, one: Round) -> str:
    """The person's own page in a round; "" where there is none."""
    if one.get("kind", "roster") != "roster" or one.get("state") == "planned":
        return ""
    name = one["round"]
    if grant.role == HQ:
        return url_for("nation.progress", round=name)
    if grant.role == AREA:
        return url_for("area.progress", round=name, esa=grant.scope)
    if grant.role in (CLERK, DIRECTOR):
        return url_for("school.show", round=name, school=grant.scope)
    return ""


@signed_in()
def calendar() -> Answer:
    rounds = ask("GET", "/api/v1/rounds")["rounds"]
    return render_template("rounds.html", rounds=rounds, current=current(rounds), page_of=page_of)


@signed_in(HQ)
def open_round() -> Answer:
    name = typed("round", most=20)
    done = (f"เปิดรอบ {name} แล้ว", f"Round {name} is open")
    return tried(
        lambda: ask("POST", "/api/v1/rounds", json={"round": name}), done, url_for("rounds.calendar")
    )


@signed_in(HQ)
def extend(round: str) -> Answer:
    """Give named schools more time for one activity."""
    schools = typed("schools").replace(",", " ").split()
    wanted = {
        "activity": typed("activity", most=20),
        "schools": schools,
        "until": until(typed("until", most=25)),
    }
    return tried(
        lambda: ask("POST", path("rounds", round, "extensions"), json=wanted),
        ("ขยายเวลาแล้ว", "More time is given"),
        url_for("rounds.calendar"),
    )


def until(text: str) -> str:
    """A browser's local date and time as an ISO time in Thailand."""
    return f"{text}:00+07:00" if len(text) == len("2021-11-10T16:30") else text
