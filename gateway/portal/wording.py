"""What a school's page says about where it stands: one headline, and why a button is not there yet.

Pure: a school as intake gives it, and the round clock. Not here: deciding (intake does; `may` is its answer).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.portal.language import clock_time, day, moment, span, t

School = Mapping[str, Any]
_STEPS = {"confirm": "confirmed", "certify": "certified", "acknowledge": "acknowledged"}
ORDER = ("empty", "draft", "ready", "confirmed", "certified", "acknowledged", "sealed")


def passed(state: str, step: str) -> bool:
    """Whether a submission in `state` has reached the state `step`."""
    return state in ORDER and ORDER.index(state) >= ORDER.index(step)


def headline(school: School, now: datetime) -> str:
    """Where the school stands and what is next, in one line."""
    state = str(school["state"])
    if state in ("empty", "draft", "ready"):
        return _before_confirming(school, state, now)
    if state == "confirmed":
        return _waiting(
            school,
            "certify",
            now,
            t("ยืนยันแล้ว รอผู้อำนวยการรับรอง", "Confirmed; waiting for the director to certify"),
            t("ยืนยันแล้ว แต่ไม่ได้รับรองในเวลา", "Confirmed, but not certified in time"),
        )
    return {
        "certified": t(
            "รับรองแล้ว รอเขตรับทราบ โรงเรียนไม่ต้องทำอะไรอีก",
            "Certified; the area acknowledges next. The school is done",
        ),
        "acknowledged": t(
            "เขตรับทราบแล้ว โรงเรียนไม่ต้องทำอะไรอีก", "Acknowledged by the area. The school is done"
        ),
        "sealed": t("ปิดรอบแล้ว ข้อมูลนี้เปลี่ยนไม่ได้อีก", "The round is sealed; this data no longer changes"),
    }.get(state, state)


def why_not(school: School, act: str, now: datetime) -> str:
    """Why an act is not offered; empty when it is."""
    if act in school.get("may", ()):
        return ""
    if school.get("locked"):
        return t("ส่วนกลางระงับการยืนยันของโรงเรียนนี้ไว้", "Headquarters holds this school's confirmation")
    if act in _STEPS and passed(str(school["state"]), _STEPS[act]):
        return t("ทำแล้ว", "Already done")
    if act == "confirm" and uploading(school):
        return t(
            "กำลังตรวจไฟล์ที่ส่ง เสร็จแล้วปุ่มจะกลับมาเอง", "A file is being checked; the button comes back by itself"
        )
    if act == "confirm" and school.get("blocks"):
        return t("ยังมีรายการที่ต้องทำก่อนยืนยัน", "Something must be done before confirming")
    return _outside(school, act, now) or t("ยังทำขั้นตอนนี้ไม่ได้", "This step is not possible yet")


def uploading(school: School) -> bool:
    """Whether a file of this school waits to be checked or is being checked."""
    return bool(school.get("upload")) and school["upload"].get("state") in ("received", "checking")


def window_of(school: School, act: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (school.get("windows") or {}).get(act) or {}
    return found


def _before_confirming(school: School, state: str, now: datetime) -> str:
    ready = {
        "empty": t("ยังไม่ได้ส่งรายชื่อนักเรียน", "No roll has been sent yet"),
        "draft": t("ส่งรายชื่อแล้ว แต่ยังมีรายการที่ต้องแก้", "The roll is in, but some things must be fixed"),
        "ready": t("รายชื่อพร้อมแล้ว ยังไม่ได้ยืนยัน", "The roll is ready, but not confirmed"),
    }[state]
    missed = t("ไม่ได้ยืนยันในเวลา", "Not confirmed in time")
    return _waiting(school, "confirm", now, ready, missed)


def _waiting(school: School, act: str, now: datetime, ready: str, missed: str) -> str:
    window = window_of(school, act)
    if not window:
        return ready
    if window.get("open"):
        until = clock_time(window["closes"])
        return ready + t(f" ต้องเสร็จก่อน {until} วันนี้", f"; due by {until} today")
    if _over(window, now):
        return missed + t(
            ": นักเรียนของโรงเรียนจะไม่ถูกนับในรอบนี้ และการจัดสรรงบประมาณอาจล่าช้าหรือไม่ได้รับ โปรดติดต่อเขตทันที",
            ": its pupils will not be counted in this round, and money may come late or not at all. Call your area office now",
        )
    verb = {"confirm": t("ยืนยันได้", "confirming is open"), "certify": t("รับรองได้", "certifying is open")}[act]
    return f"{ready} · {verb} {span(window)}"


def _outside(school: School, act: str, now: datetime) -> str:
    window = window_of(school, act)
    if not window or window.get("open"):
        return ""
    if _over(window, now):
        return t(f"หมดเวลาแล้วเมื่อ {moment(window['closes'])}", f"The time ended {moment(window['closes'])}")
    opens = f"{day(window['opens'])} {clock_time(window['opens'])}"
    return t(f"เปิดให้ทำ {opens}", f"Opens {opens}")


def _over(window: Mapping[str, Any], now: datetime) -> bool:
    return now >= datetime.fromisoformat(window["closes"])
