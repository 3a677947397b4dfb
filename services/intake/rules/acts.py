"""The acts of a round as guarded functions: who may do it, from which state, in which window.

Each returns the state the submission passes into or raises a Refusal; nothing is changed here. The order of the
questions is fixed: may this person, is the round open, is it the day, is the state right, is it the version meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.contracts.access import AREA, CLERK, DIRECTOR, HQ, Grant, holds
from services.contracts.calendar import Window
from services.contracts.refusal import Refusal
from services.contracts.thai_dates import window_words
from services.intake.rules.states import (
    ACKNOWLEDGED,
    CERTIFIED,
    CONFIRMED,
    EMPTY,
    OPEN_STATES,
    SIGNED,
    Submission,
    blocks,
    readiness,
)

STATEMENT_TH = "ข้าพเจ้าขอรับรองว่านักเรียนตามทะเบียนฉบับนี้มีตัวตนอยู่จริงในโรงเรียน ณ วันที่รับรอง และข้อมูลถูกต้องครบถ้วนทุกรายการ"
STATEMENT_EN = (
    "I certify that the pupils on this roll exist and attend this school on the day of certification, "
    "and that every item is correct and complete"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, on which school, and when it arrived (round clock)."""

    subject: str
    grants: tuple[Grant, ...]
    stepped_up: bool
    school: str
    esa: str
    at: datetime

    def is_a(self, role: str) -> bool:
        return holds(self.grants, role, school=self.school, esa=self.esa)


GRACE = timedelta(minutes=10)


def arrival(now: datetime, turned_away: datetime | None, windows: Iterable[Window]) -> datetime:
    """When an act counts as arrived: when it was turned away for lack of room, if that was in a window and it came
    again at most ten minutes after that window's end; else `now`."""
    if turned_away and any(w.is_open(turned_away) and now < w.closes + GRACE for w in windows):
        return min(turned_away, now)
    return now


def may_upload(actor: Actor, submission: Submission, round_state: str, windows: Iterable[Window]) -> None:
    """Guard a new roster: the clerk, while the round takes data, not over a confirmed version."""
    _role(actor, CLERK)
    _open_round(round_state)
    _in_window(actor, windows, "update")
    _not_signed(submission)


def may_build_on(submission: Submission) -> None:
    """Guard what rests on the current version: not while an upload that may replace it is received or checking."""
    if submission.upload_waiting:
        raise Refusal(
            409,
            "upload-in-progress",
            "ไฟล์ที่ส่งกำลังรอหรือกำลังตรวจสอบ โปรดรอผลก่อน",
            "An uploaded file is still being checked; wait for its result",
            upload=f"/api/v1/uploads/{submission.upload_waiting}",
            headers={"Retry-After": "2"},
        )


def may_explain(actor: Actor, submission: Submission, round_state: str) -> None:
    """Guard an explanation: the clerk, while the round is open, not on a confirmed version."""
    _role(actor, CLERK)
    _open_round(round_state)
    _not_signed(submission)


def confirm(
    actor: Actor, submission: Submission, round_state: str, windows: Iterable[Window], sha256: str
) -> str:
    """The clerk confirms every item of the version named. → confirmed"""
    _role(actor, CLERK)
    _open_round(round_state)
    _in_window(actor, windows, "confirm")
    if submission.state in SIGNED:
        raise Refusal(409, "already-confirmed", "ข้อมูลนี้ได้ยืนยันไปแล้ว", "This submission is confirmed already")
    may_build_on(submission)
    _version(submission, sha256)
    found = blocks(submission)
    if found:
        raise Refusal(
            409,
            "blocked",
            "ยังยืนยันไม่ได้: " + "; ".join(b.th for b in found),
            "This cannot be confirmed yet: " + "; ".join(b.en for b in found),
            blocks=[{"code": b.code, "th": b.th, "en": b.en} for b in found],
        )
    return CONFIRMED


def undo(actor: Actor, submission: Submission, round_state: str, windows: Iterable[Window]) -> str:
    """The clerk takes the confirmation back, within the window and before the director certified. → draft or ready"""
    _role(actor, CLERK)
    _open_round(round_state)
    _in_window(actor, windows, "confirm")
    if submission.state != CONFIRMED:
        raise Refusal(
            409,
            "not-confirmed",
            "ยกเลิกการยืนยันได้เฉพาะข้อมูลที่ยืนยันแล้วและผู้อำนวยการยังไม่รับรอง",
            "Only a confirmation that the director has not certified yet can be undone",
        )
    return readiness(submission)


def certify(
    actor: Actor, submission: Submission, round_state: str, windows: Iterable[Window], sha256: str
) -> str:
    """The director, another person than the confirmer and freshly signed in, certifies the pupils' existence. → certified"""
    _role(actor, DIRECTOR)
    if actor.subject == submission.confirmed_by:
        raise Refusal(
            403,
            "same-person",
            "ผู้รับรองต้องไม่ใช่คนเดียวกับผู้ยืนยันข้อมูล",
            "Whoever confirmed a roster cannot certify it: it takes a second person",
        )
    if not actor.stepped_up:
        raise Refusal(
            403,
            "step-up-required",
            "โปรดใส่รหัสผ่านอีกครั้งก่อนรับรอง",
            "Enter your password again before certifying",
        )
    _open_round(round_state)
    _in_window(actor, windows, "certify")
    if submission.state != CONFIRMED:
        raise Refusal(
            409,
            "not-confirmed",
            "ต้องยืนยันข้อมูลก่อน จึงจะรับรองได้ และรับรองได้ครั้งเดียว",
            "A roster is certified once, after it was confirmed",
        )
    _version(submission, sha256)
    return CERTIFIED


def acknowledge(
    actor: Actor, submission: Submission, round_state: str, windows: Iterable[Window], sha256: str
) -> str:
    """The area office takes note of a certified report, on its day. → acknowledged"""
    _role(actor, AREA)
    _open_round(round_state)
    _in_window(actor, windows, "acknowledge")
    if submission.state != CERTIFIED:
        raise Refusal(
            409,
            "not-certified",
            "รับทราบได้เฉพาะโรงเรียนที่ผู้อำนวยการรับรองแล้ว",
            "Only a certified report can be acknowledged",
        )
    _version(submission, sha256)
    return ACKNOWLEDGED


def cancel(
    actor: Actor, submission: Submission, round_state: str, windows: Iterable[Window], *, lock: bool
) -> str:
    """The area in its days, or headquarters any time, cancels with a reason; only headquarters locks. → draft or ready"""
    if not actor.is_a(HQ):
        _role(actor, AREA)
        _in_window(actor, windows, "acknowledge")
        if lock:
            raise Refusal(
                403, "role-required", "เฉพาะ สพฐ. ที่ระงับการยืนยันได้", "Only headquarters can lock a school"
            )
    _open_round(round_state)
    if submission.state not in SIGNED and not actor.is_a(HQ):
        raise Refusal(409, "not-confirmed", "โรงเรียนนี้ยังไม่ได้ยืนยันข้อมูล", "This school has not confirmed")
    return readiness(submission) if submission.sha256 else EMPTY


def _role(actor: Actor, role: str) -> None:
    names = {
        CLERK: ("เจ้าหน้าที่ข้อมูลของโรงเรียน", "the school's clerk"),
        DIRECTOR: ("ผู้อำนวยการโรงเรียน", "the school's director"),
        AREA: ("เจ้าหน้าที่เขตพื้นที่การศึกษา", "the area officer"),
    }
    if not actor.is_a(role):
        th, en = names[role]
        raise Refusal(403, "role-required", f"เฉพาะ{th}ที่ทำรายการนี้ได้", f"Only {en} can do this")


def _not_signed(submission: Submission) -> None:
    if submission.state in SIGNED:
        raise Refusal(
            409,
            "undo-first",
            "ข้อมูลได้ยืนยันแล้ว หากต้องการแก้ไขให้ยกเลิกการยืนยันก่อน",
            "The roster is confirmed; undo the confirmation first",
        )


def _open_round(state: str) -> None:
    if state not in OPEN_STATES:
        raise Refusal(
            409,
            "round-closed",
            "รอบการจัดเก็บข้อมูลนี้ปิดแล้ว",
            "This round is closed",
        )


def _in_window(actor: Actor, windows: Iterable[Window], activity: str) -> None:
    offered = tuple(windows)
    if any(window.is_open(actor.at) for window in offered):
        return
    words = [window_words(window) for window in offered]
    th, en = " และ ".join(w[0] for w in words), " and ".join(w[1] for w in words)
    raise Refusal(
        409,
        "outside-window",
        f"ทำรายการนี้ได้เฉพาะ {th}",
        f"This is open only {en} (Asia/Bangkok)",
        activity=activity,
        windows=[{"opens": w.opens.isoformat(), "closes": w.closes.isoformat()} for w in offered],
    )


def _version(submission: Submission, sha256: str) -> None:
    if submission.sha256 != sha256:
        raise Refusal(
            412,
            "stale-version",
            "ข้อมูลเปลี่ยนไปจากรุ่นที่ท่านเห็น โปรดเปิดหน้าใหม่และตรวจสอบอีกครั้ง",
            "The roster is no longer the version you saw; reload and check again",
            current=submission.sha256,
        )
