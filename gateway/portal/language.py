"""Thai and English: the page's language, and the one dictionary of states, roles and other fixed words.

Thai is the default; `?lang=en` is kept in a cookie. Dates are Buddhist Era in Thai and common era in English.
Not here: sentences that stand on one page only (templates) and what services say (they give both languages).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import g, has_request_context, request

from services.contracts import thai_dates
from services.contracts.calendar import BANGKOK, Window
from services.contracts.refusal import Refusal

COOKIE = "tabian_lang"

STATES: dict[str, tuple[str, str]] = {
    "empty": ("ยังไม่ส่งรายชื่อ", "No roll yet"),
    "draft": ("มีรายการต้องแก้", "Needs work"),
    "ready": ("พร้อมยืนยัน", "Ready to confirm"),
    "confirmed": ("โรงเรียนยืนยันแล้ว", "Confirmed by the school"),
    "certified": ("ผู้อำนวยการรับรองแล้ว", "Certified by the director"),
    "acknowledged": ("เขตรับทราบแล้ว", "Acknowledged by the area"),
    "sealed": ("ปิดรอบแล้ว", "Sealed"),
}
_WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "state": STATES,
    "role": {
        "clerk": ("เจ้าหน้าที่ข้อมูลโรงเรียน", "School data clerk"),
        "director": ("ผู้อำนวยการโรงเรียน", "School director"),
        "area": ("เจ้าหน้าที่เขตพื้นที่การศึกษา", "Area officer"),
        "hq": ("สพฐ. ส่วนกลาง", "Headquarters"),
        "ops": ("ผู้ดูแลระบบ", "Operations"),
        "partner": ("หน่วยงานสังกัดอื่น", "Partner agency"),
    },
    "upload": {
        "received": ("ได้รับไฟล์แล้ว กำลังรอตรวจ", "Received, waiting to be checked"),
        "checking": ("กำลังตรวจ", "Being checked"),
        "accepted": ("ตรวจเสร็จ รับเป็นรายชื่อรุ่นปัจจุบัน", "Checked and now the current roll"),
        "unchanged": ("ตรงกับรายชื่อรุ่นปัจจุบัน ไม่มีอะไรเปลี่ยน", "The same as the current roll; nothing changed"),
        "rejected": ("ไม่รับไฟล์นี้ รายชื่อรุ่นเดิมยังอยู่", "File not taken; the earlier roll stands"),
        "failed": ("ตรวจไฟล์ไม่สำเร็จ รายชื่อรุ่นเดิมยังอยู่", "Could not be checked; the earlier roll stands"),
        "late": ("มาถึงหลังปิดรอบ", "Came after the round was closed"),
        "superseded": ("มีไฟล์ใหม่กว่ามาแทน", "Replaced by a later file"),
    },
    "severity": {
        "error": ("ต้องแก้", "Must be fixed"),
        "warning": ("ต้องแก้หรืออธิบาย", "Fix or explain"),
        "note": ("เพื่อทราบ", "For information"),
    },
    "act": {
        "upload": ("ส่งไฟล์", "Uploaded"),
        "edit": ("แก้รายคน", "Edited a pupil"),
        "explain": ("อธิบาย", "Explained a warning"),
        "confirm": ("ยืนยันข้อมูล", "Confirmed"),
        "undo": ("ถอนการยืนยัน", "Confirmation undone"),
        "certify": ("รับรองการมีตัวตน", "Certified"),
        "acknowledge": ("รับทราบ", "Acknowledged"),
        "cancel": ("ยกเลิกการยืนยัน", "Confirmation cancelled"),
        "update": ("ปรับปรุงข้อมูล", "Update the roll"),
        "close": ("ปิดรอบ", "Close the round"),
    },
    "round": {
        "planned": ("ยังไม่เปิด", "Planned"),
        "open": ("เปิดอยู่", "Open"),
        "closing": ("กำลังปิด", "Closing"),
        "fenced": ("กำลังปิด", "Closing"),
        "settled": ("กำลังปิด", "Closing"),
        "compared": ("กำลังปิด", "Closing"),
        "sealed": ("ปิดรอบแล้ว", "Sealed"),
        "aborted": ("ยกเลิกการปิดแล้ว", "Closing aborted"),
    },
    "step": {
        "closing": ("ประกาศปิดรอบ", "Announced"),
        "fenced": ("หยุดรับข้อมูล", "Fenced"),
        "settled": ("ตัดสินรายการซ้ำซ้อน", "Duplicates settled"),
        "compared": ("เทียบเอกสารครบ", "Documents compared"),
        "sealed": ("ปิดผนึก", "Sealed"),
        "aborted": ("ยกเลิก", "Aborted"),
    },
    "case": {
        "open": ("ยังไม่ตัดสิน", "Open"),
        "cleared": ("หมดไปเองแล้ว", "Cleared"),
        "decided": ("ตัดสินแล้ว", "Decided"),
    },
    "export": {
        "queued": ("รอสร้าง", "Queued"),
        "building": ("กำลังสร้าง", "Building"),
        "built": ("สร้างเสร็จ", "Built"),
        "failed": ("สร้างไม่สำเร็จ", "Failed"),
    },
    "service": {
        "intake": ("ระบบรับข้อมูล", "Intake"),
        "dedup": ("ระบบตรวจความซ้ำซ้อน", "Duplicates"),
        "snapshot": ("ระบบปิดรอบ", "Snapshot"),
        "hq": ("ส่วนกลาง", "Headquarters"),
    },
    "reason": {
        "not-certified": ("โรงเรียนไม่ได้รับรอง", "School not certified"),
        "duplicate-lost": ("ซ้ำซ้อน เป็นของโรงเรียนอื่น", "Duplicate: another school’s"),
        "duplicate-undecided": ("ซ้ำซ้อน ยังไม่ตัดสิน", "Duplicate: undecided"),
        "cannot-discharge": ("ยังไม่สามารถจำหน่ายได้ (3.1.8)", "Cannot be discharged yet (3.1.8)"),
        "under-age": ("อายุไม่ถึงเกณฑ์", "Under age"),
    },
    "level": {
        "K": ("ก่อนประถม", "Pre-primary"),
        "P": ("ประถม", "Primary"),
        "M1_3": ("ม.ต้น", "Lower secondary"),
        "M4_6": ("ม.ปลาย", "Upper secondary"),
        "V": ("ปวช.", "Vocational"),
    },
    "certainty": {
        "verified": ("มีเอกสารอ้างอิง", "Verified"),
        "derived": ("คำนวณจากเอกสาร", "Derived"),
        "recall": ("ยังไม่ยืนยัน", "Unverified"),
    },
    "sex": {"ช": ("ชาย", "Boys"), "ญ": ("หญิง", "Girls"), "": ("ไม่ระบุ", "Not given")},
}


def english() -> bool:
    """Whether this page is in English."""
    if not has_request_context():
        return False
    if "lang" not in g:
        asked = request.args.get("lang") or request.cookies.get(COOKIE)
        g.lang = "en" if asked == "en" else "th"
    return bool(g.lang == "en")


def t(th: str, en: str) -> str:
    """The text in the page's language."""
    return en if english() else th


def word(kind: str, key: str | None) -> str:
    """A fixed word; a key nobody translated yet is shown as it is."""
    pair = _WORDS[kind].get(key or "")
    return t(*pair) if pair else str(key or "")


def said(thing: Mapping[str, Any], stem: str = "") -> str:
    """What a service said in both languages: `th`/`en`, or `<stem>_th`/`<stem>_en`."""
    th, en = (f"{stem}_th", f"{stem}_en") if stem else ("th", "en")
    return t(str(thing.get(th) or thing.get(en) or ""), str(thing.get(en) or thing.get(th) or ""))


def round_name(name: str) -> str:
    """A round as people call it: 2564-2 is term 2 of 2564."""
    year, _, part = name.removeprefix("bobec-").partition("-")
    if name.startswith("bobec-"):
        return t(f"ข้อมูลอาคารและที่ดิน ปี {year}", f"Buildings and land, {year}")
    if part == "end":
        return t(f"สิ้นปีการศึกษา {year}", f"End of academic year {year}")
    return t(f"ภาคเรียนที่ {part} ปีการศึกษา {year}", f"Term {part} of academic year {year}") if part else name


def reason(refusal: Refusal) -> str:
    """Why something was refused."""
    return t(refusal.th, refusal.en)


def day(value: str | None) -> str:
    """An ISO date or time as a date: 10 พ.ย. 2564 · 10 Nov 2021 (2564)."""
    at = _moment(value)
    if at is None:
        return str(value or "")
    return thai_dates.english_date(at) if english() else thai_dates.thai_date(at)


def clock_time(value: str | None) -> str:
    """An ISO time as the time of day in Thailand: 16.30 น. · 16:30."""
    at = _moment(value)
    if at is None:
        return str(value or "")
    return thai_dates.english_time(at) if english() else thai_dates.thai_time(at)


def clock_second(at: datetime) -> str:
    """A time of day in Thailand with seconds: 16.29.41 น. · 16:29:41."""
    local = at.astimezone(BANGKOK)
    return t(f"{local:%H.%M.%S} น.", f"{local:%H:%M:%S}")


def moment(value: str | None) -> str:
    """Date and time of day."""
    return f"{day(value)} {clock_time(value)}" if _moment(value) else str(value or "")


def span(window: Mapping[str, Any]) -> str:
    """A window from `opens` to `closes`, said as briefly as is exact."""
    opens, closes = _moment(window.get("opens")), _moment(window.get("closes"))
    if opens is None or closes is None:
        return ""
    return t(*thai_dates.window_words(Window(opens, closes)))


def number(value: float | None) -> str:
    """With thousands separators; a dash for nothing."""
    return "–" if value is None else f"{value:,}"


def _moment(value: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return at.astimezone(BANGKOK) if at.tzinfo else at.replace(tzinfo=BANGKOK)
