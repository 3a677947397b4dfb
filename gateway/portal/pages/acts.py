"""The acts on a school's submission: confirm, undo, certify, acknowledge, cancel. Each names the roll's SHA-256.

Whether an act is allowed is intake's to say; this passes it on and shows the answer.
"""

from __future__ import annotations

from flask import Blueprint, url_for

from gateway.portal.neighbours import ask, path
from gateway.portal.pages.answers import Answer, tried, typed
from gateway.portal.sessions import person, signed_in
from services.contracts.access import AREA, CLERK, DIRECTOR, HQ


def blueprint() -> Blueprint:
    acts = Blueprint("acts", __name__, url_prefix="/rounds/<round>/schools/<school>")
    acts.add_url_rule("/confirmation", "confirm", confirm, methods=["POST"])
    acts.add_url_rule("/confirmation/undo", "undo", undo, methods=["POST"])
    acts.add_url_rule("/certification", "certify", certify, methods=["POST"])
    acts.add_url_rule("/acknowledgement", "acknowledge", acknowledge, methods=["POST"])
    acts.add_url_rule("/cancellation", "cancel", cancel, methods=["POST"])
    return acts


@signed_in(CLERK)
def confirm(round: str, school: str) -> Answer:
    return tried(
        lambda: ask("POST", _act(round, school, "confirmation"), if_match=typed("sha256", most=64)),
        ("ยืนยันแล้ว ได้ใบรับแล้ว ขั้นต่อไปผู้อำนวยการรับรอง", "Confirmed, with a receipt. The director certifies next"),
        _page(round, school),
    )


@signed_in(CLERK)
def undo(round: str, school: str) -> Answer:
    return tried(
        lambda: ask("DELETE", _act(round, school, "confirmation"), if_match=typed("sha256", most=64)),
        ("ถอนการยืนยันแล้ว แก้ไขและยืนยันใหม่ได้", "The confirmation is undone; correct and confirm again"),
        _page(round, school),
    )


@signed_in(DIRECTOR)
def certify(round: str, school: str) -> Answer:
    """With the statement that was on the screen, in Thai: its text is kept with the act."""
    wanted = {"statement": typed("statement")}
    url, sha256 = _act(round, school, "certification"), typed("sha256", most=64)
    return tried(
        lambda: ask("POST", url, json=wanted, if_match=sha256),
        ("รับรองแล้ว ได้ใบรับแล้ว", "Certified, with a receipt"),
        _page(round, school),
    )


@signed_in(AREA)
def acknowledge(round: str, school: str) -> Answer:
    return tried(
        lambda: ask("POST", _act(round, school, "acknowledgement"), if_match=typed("sha256", most=64)),
        ("รับทราบแล้ว", "Acknowledged"),
        _page(round, school),
    )


@signed_in(AREA, HQ)
def cancel(round: str, school: str) -> Answer:
    """Take a confirmation back, with the reason; headquarters may also hold the button."""
    lock = person().grant.role == HQ and typed("lock") == "1"
    wanted = {"reason": typed("reason"), "lock": lock}
    return tried(
        lambda: ask("POST", _act(round, school, "cancellation"), json=wanted),
        ("ยกเลิกการยืนยันของโรงเรียนแล้ว", "The school's confirmation is cancelled"),
        _page(round, school),
    )


def _act(round: str, school: str, act: str) -> str:
    return path("rounds", round, "schools", school, act)


def _page(round: str, school: str) -> str:
    return url_for("school.show", round=round, school=school)
