"""Pages for everyone: signing in and out, the way to one's own page, choosing a role, typing the password again."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for

from gateway.portal import sessions, sign_in
from gateway.portal.language import reason, t
from gateway.portal.neighbours import ask
from gateway.portal.pages.answers import Answer, local, typed
from gateway.portal.pages.rounds import current, page_of
from gateway.portal.sessions import person, signed_in, visitor
from services.contracts.access import OPS
from services.kit.auth import public
from services.kit.errors import Problem
from services.kit.http import runtime, transaction


def blueprint() -> Blueprint:
    people = Blueprint("people", __name__)
    people.add_url_rule("/", "home", home)
    people.add_url_rule("/sign-in", "sign_in", show_sign_in)
    people.add_url_rule("/sign-in", "enter", enter, methods=["POST"])
    people.add_url_rule("/sign-out", "leave", leave, methods=["POST"])
    people.add_url_rule("/role", "choose", choose, methods=["POST"])
    people.add_url_rule("/step-up", "step_up", step_up, methods=["POST"])
    return people


@signed_in()
def home() -> Answer:
    """To the page of the person's role, in the round that matters now. Operations has one of its own, which asks no service."""
    if person().grant.role == OPS:
        return redirect(url_for("operations.show"))
    found = current(ask("GET", "/api/v1/rounds")["rounds"])
    own = page_of(person().grant, found) if found else ""
    return redirect(own or url_for("rounds.calendar"))


@public
def show_sign_in() -> Answer:
    if visitor() is not None:
        return redirect(url_for("people.home"))
    return render_template("sign_in.html", username="", back=local(request.args.get("next")), problem="")


@public
def enter() -> Answer:
    """Check name and password and begin a session."""
    back = local(request.form.get("next"))
    try:
        who = sign_in.check(
            runtime().database, typed("username"), request.form.get("password", ""), request.remote_addr or ""
        )
    except Problem as problem:
        text = reason(problem)
        page = render_template("sign_in.html", username=typed("username", most=64), back=back, problem=text)
        return page, problem.status
    with transaction() as tx:
        sessions.begin(tx, who)
    return redirect(back or url_for("people.home"), 303)


@public
def leave() -> Answer:
    with transaction() as tx:
        sessions.end(tx)
    flash(t("ออกจากระบบแล้ว", "You are signed out"), "success")
    return redirect(url_for("people.sign_in"), 303)


@signed_in()
def choose() -> Answer:
    """Act in another of one's roles."""
    index = typed("grant", most=4)
    with transaction() as tx:
        sessions.choose(tx, person(), int(index) if index.isdecimal() else -1)
    return redirect(url_for("people.home"), 303)


@signed_in()
def step_up() -> Answer:
    """Type the password again, ahead of the act that needs it: the act itself then hashes nothing."""
    back = local(request.form.get("next")) or url_for("people.home")
    username = person().account.username
    try:
        sign_in.check(
            runtime().database, username, request.form.get("password", ""), request.remote_addr or ""
        )
    except Problem as problem:
        flash(reason(problem), "danger")
        return redirect(back, 303)
    with transaction() as tx:
        sessions.stepped_up(tx, person())
    flash(t("ยืนยันตัวตนแล้ว ใช้ได้ 15 นาที", "You proved who you are; good for 15 minutes"), "success")
    return redirect(back, 303)
