"""Who may answer and decide a case, and when. Each guard returns nothing or raises a Refusal; nothing changes here.

The order of the questions is fixed: may this person, is the round open, is it the day, does the case stand so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.contracts.access import AREA, CLERK, DIRECTOR, HQ, Grant, holds, sees_school
from services.contracts.calendar import Extension, RoundPlan, Window
from services.contracts.refusal import Refusal
from services.contracts.thai_dates import window_words
from services.dedup.rules.standing import CLEARED, DECIDED, NEITHER

ACTIVITIES = ("follow-up", "acknowledge")
"""Rows of the calendar in which duplicates are settled: following them up, and the area's one day."""


@dataclass(frozen=True, slots=True)
class Side:
    """A school of a case and its education service area ("" while the register has not told)."""

    school: str
    esa: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the guards know of a case. `ruled_by`: the role that made the latest ruling, "" without one. `round_state`:
    open | fenced | sealed."""

    state: str
    sides: tuple[Side, ...]
    ruled_by: str
    round_state: str
    windows: tuple[Window, ...]


def sees_case(grants: Iterable[Grant], sides: Iterable[Side]) -> bool:
    """Whether this person may know of the case: a party's own people, a party's area, headquarters."""
    granted = tuple(grants)
    return any(sees_school(granted, side.school, side.esa) for side in sides)


def windows(plan: RoundPlan, schools: Sequence[str], extensions: Sequence[Extension]) -> tuple[Window, ...]:
    """When duplicates between these schools may be settled; the longest extension of any of them counts for all."""
    keys = [key for key in ACTIVITIES if key in plan.keys]
    return tuple(
        max((plan.window(key, school=s, extensions=extensions) for s in schools), key=lambda w: w.closes)
        for key in keys
    )


def may_answer(grants: Iterable[Grant], case: Case, school: str, at: datetime) -> None:
    """Guard a school's sentence that the child is theirs: the clerk or director of a party, while the case is open."""
    if school not in {side.school for side in case.sides}:
        raise _no_party()
    granted = tuple(grants)
    if not (holds(granted, CLERK, school=school) or holds(granted, DIRECTOR, school=school)):
        raise Refusal(
            403,
            "not-your-school",
            "เฉพาะเจ้าหน้าที่ข้อมูลหรือผู้อำนวยการของโรงเรียนนั้นที่ยืนยันได้",
            "Only that school's own clerk or director can say so",
        )
    _in_time(case, at)
    _not_cleared(case)
    if case.state == DECIDED:
        raise Refusal(
            409,
            "case-decided",
            "เขตพื้นที่การศึกษาตัดสินกรณีนี้แล้ว โปรดติดต่อเขตพื้นที่การศึกษาหากไม่เห็นด้วย",
            "This case is decided; contact the area office if you disagree",
        )


def may_decide(grants: Iterable[Grant], case: Case, belongs_to: str, at: datetime) -> str:
    """Guard a decision; returns the role in which it is made.

    Headquarters decides any case. An area decides where every school that loses by it is its own: all cases among its
    schools, and a case with another area's school only in that school's favour. What headquarters decided, only it changes.
    """
    granted = tuple(grants)
    role = _deciding_role(granted, case)
    if belongs_to != NEITHER and belongs_to not in {side.school for side in case.sides}:
        raise _no_party()
    if role == AREA and not _loses_only_own(granted, case, belongs_to):
        raise Refusal(
            403,
            "not-yours-to-decide",
            "เขตพื้นที่การศึกษาตัดสินให้โรงเรียนนอกเขตเสียนักเรียนไม่ได้ โปรดประสานเขตของโรงเรียนนั้น หรือให้ สพฐ. ตัดสิน",
            "An area cannot take a pupil from another area's school; agree with that area, or let headquarters decide",
        )
    if role == AREA and case.state == DECIDED and case.ruled_by == HQ:
        raise Refusal(
            403,
            "decided-by-headquarters",
            "สพฐ. ตัดสินกรณีนี้แล้ว เฉพาะ สพฐ. ที่เปลี่ยนได้",
            "Headquarters decided this case, and only headquarters can change it",
        )
    _in_time(case, at)
    _not_cleared(case)
    return role


def _deciding_role(granted: tuple[Grant, ...], case: Case) -> str:
    if holds(granted, HQ):
        return HQ
    if any(holds(granted, AREA, esa=side.esa) for side in case.sides):
        return AREA
    raise Refusal(
        403,
        "area-decides",
        "เฉพาะเขตพื้นที่การศึกษาหรือ สพฐ. ที่ตัดสินได้ โรงเรียนยืนยันได้ว่าเป็นนักเรียนของตน",
        "The area or headquarters decides; a school can state that the pupil is its own",
    )


def _loses_only_own(granted: tuple[Grant, ...], case: Case, belongs_to: str) -> bool:
    losing = [side for side in case.sides if side.school != belongs_to]
    return all(holds(granted, AREA, esa=side.esa) for side in losing)


def _in_time(case: Case, at: datetime) -> None:
    if case.round_state == "sealed":
        raise Refusal(409, "round-closed", "รอบการจัดเก็บข้อมูลนี้ปิดแล้ว", "This round is closed")
    if case.round_state == "fenced":
        raise Refusal(
            409,
            "round-closing",
            "รอบการจัดเก็บข้อมูลนี้กำลังปิด กรณีซ้ำซ้อนเปลี่ยนไม่ได้แล้ว",
            "This round is being closed; duplicates can no longer be changed",
        )
    if any(window.is_open(at) for window in case.windows):
        return
    words = [window_words(window) for window in case.windows]
    raise Refusal(
        409,
        "outside-window",
        "จัดการกรณีซ้ำซ้อนได้เฉพาะ " + (" และ ".join(th for th, _ in words) or "ในรอบที่มีช่วงเวลากำหนด"),
        "Duplicates are settled only on "
        + ("; ".join(en for _, en in words) or "the days of a round that has them"),
        windows=[{"opens": w.opens.isoformat(), "closes": w.closes.isoformat()} for w in case.windows],
    )


def _not_cleared(case: Case) -> None:
    if case.state == CLEARED:
        raise Refusal(
            409,
            "case-cleared",
            "กรณีนี้หมดไปแล้ว เพราะนักเรียนเหลืออยู่ในทะเบียนของโรงเรียนเดียว",
            "This case has cleared: the pupil stands on one school's roll only",
        )


def _no_party() -> Refusal:
    return Refusal(422, "not-a-party", "โรงเรียนนี้ไม่ได้อยู่ในกรณีซ้ำซ้อนนี้", "That school is not a party of this case")
