"""What the stand-in for the services answers: plain data in the services' shapes, all of it made up."""

from __future__ import annotations

from typing import Any

ROUND, SCHOOL, ESA = "2564-2", "1066350177", "6602"
SHA256 = "9f2c" + "0123456789abcdef" * 3 + "0123456789ab"
UPLOAD = "0b6a3a6e-8f0e-4a55-9a39-1f3ab0a0c001"
NAME = "บ้านทุ่งทดสอบ"
MAY = {
    "draft": ["upload"],
    "ready": ["upload", "confirm"],
    "confirmed": ["undo", "certify", "cancel"],
    "certified": ["acknowledge", "cancel"],
    "acknowledged": ["cancel"],
}
_DAY = {
    "opens": "2021-11-10T08:30:00+07:00",
    "closes": "2021-11-10T16:30:00+07:00",
    "open": True,
}


def window(opens: str, closes: str, *, is_open: bool = True) -> dict[str, Any]:
    return {"opens": f"{opens}:00+07:00", "closes": f"{closes}:00+07:00", "open": is_open}


def school() -> dict[str, Any]:
    counts = counts_by_grade()
    return {
        "school": SCHOOL,
        "name": NAME,
        "esa": ESA,
        "esa_name": "สพป.พิจิตร เขต 2",
        "levels": "K,P",
        "round": ROUND,
        "state": "draft",
        "revision": 3,
        "sha256": SHA256,
        "pupils": sum(one["pupils"] for one in counts),
        "counts": counts,
        "findings": {"errors": 2, "warnings": 2, "unexplained": 1, "notes": 1},
        "blocks": blocks(),
        "screening": {"compared_with": 122, "at": "2021-11-10T09:12:00+07:00"},
        "upload": upload(),
        "current_upload": UPLOAD,
        "cases": [own_case()],
        "acts": [],
        "windows": windows(),
        "locked": False,
        "may": list(MAY["draft"]),
        "statement": {
            "th": "ข้าพเจ้าขอรับรองว่านักเรียนตามทะเบียนฉบับนี้มีตัวตนอยู่จริงในโรงเรียน ณ วันที่รับรอง",
            "en": "I certify that the pupils on this roll exist and attend this school on this day",
        },
    }


def counts_by_grade() -> list[dict[str, Any]]:
    grades = ("อ.2", "อ.3", "ป.1", "ป.2", "ป.3", "ป.4", "ป.5", "ป.6")
    return [
        {"grade": grade, "sex": sex, "pupils": 8 + (place + offset) % 6}
        for place, grade in enumerate(grades)
        for offset, sex in enumerate(("ช", "ญ"))
    ]


def blocks() -> list[dict[str, str]]:
    return [
        {
            "code": "errors-left",
            "th": "มีข้อผิดพลาดที่ต้องแก้ 2 รายการ",
            "en": "2 errors are still to be corrected",
        },
        {
            "code": "warnings-unexplained",
            "th": "มีข้อควรตรวจสอบ 1 รายการที่ต้องแก้ไขหรือชี้แจง",
            "en": "1 warnings are to be corrected or explained",
        },
        {
            "code": "duplicates-unanswered",
            "th": "มีนักเรียนซ้ำกับโรงเรียนอื่น 1 ราย",
            "en": "1 pupils are also on another roll",
        },
    ]


def own_case() -> dict[str, Any]:
    return {
        "case": "c-1",
        "state": "open",
        "decision": "",
        "answer": "none",
        "sentence": "",
        "key": "a1b2c3",
        "pupil": {
            "title": "เด็กหญิง",
            "first_name_th": "สมมติ",
            "last_name_th": "ทดสอบ",
            "grade": "ป.3",
            "room": "1",
        },
        "others": [{"school": "1066350188", "name": "วัดคลองสมมติ", "esa": ESA}],
    }


def windows() -> dict[str, dict[str, Any]]:
    return {
        "update": window("2021-10-15T00:00", "2021-11-11T00:00"),
        "confirm": dict(_DAY),
        "certify": dict(_DAY),
        "acknowledge": window("2021-11-11T00:00", "2021-11-12T00:00", is_open=False),
    }


def upload() -> dict[str, Any]:
    return {
        "upload": UPLOAD,
        "school": SCHOOL,
        "round": ROUND,
        "state": "accepted",
        "filename": "DMC_66020177.xlsx",
        "received_at": "2026-11-23T02:10:00+00:00",
        "arrived_at": "2021-11-10T09:10:00+07:00",
        "pupils": 170,
        "counts": {"errors": 2, "warnings": 2, "notes": 1},
        "reason": None,
        "sha256": SHA256,
    }


def finding(
    rule: str, severity: str, row: int | None, field: str, field_th: str, *texts: str
) -> dict[str, Any]:
    th, en, fix_th, fix_en = texts
    return {
        "rule": rule,
        "severity": severity,
        "row": row,
        "line": row,
        "field": field,
        "field_th": field_th,
        "th": th,
        "en": en,
        "fix_th": fix_th,
        "fix_en": fix_en,
        "key": f"k{row}",
        "explained": None,
    }


def findings() -> list[dict[str, Any]]:
    explained = finding(
        "age-grade",
        "warning",
        88,
        "birth_date",
        "วันเกิด",
        "อายุไม่ตรงกับชั้น",
        "Age does not fit the grade",
        "ตรวจวันเกิดและชั้น",
        "Check birth date and grade",
    ) | {"explained": "เรียนซ้ำชั้นจริง"}
    return [
        finding("under-age", "note", 5, "birth_date", "วันเกิด", "อายุไม่ถึง 4 ปี จะไม่ถูกนับ", "Under 4: not counted", "ไม่ต้องทำอะไร", "Nothing to do"),
        explained,
        finding("title-age", "warning", 41, "title", "คำนำหน้าชื่อ", "คำนำหน้าไม่ตรงกับอายุ", "The title does not fit the age", "แก้คำนำหน้า หรืออธิบาย", "Correct the title, or explain"),
        finding("national-id-checksum", "error", 17, "national_id", "เลขประจำตัวประชาชน", "เลขตรวจสอบหลักที่ 13 ไม่ถูกต้อง", "The check digit is wrong", "ตรวจกับบัตรหรือสูติบัตร", "Compare with the card or the birth certificate"),
        finding("grade-unknown", "error", 63, "grade", "ชั้น", "ไม่รู้จักชั้นนี้", "Unknown grade", "ใช้ อ.1 ถึง ปวช.3", "Use อ.1 to ปวช.3"),
    ]  # fmt: skip


def values() -> dict[str, str]:
    return {
        "school_code": "66020177",
        "national_id": "1112034563562",
        "grade": "ป.3",
        "room": "1",
        "sex": "ญ",
        "title": "เด็กหญิง",
        "first_name_th": "สมมติ",
        "last_name_th": "ทดสอบ",
        "birth_date": "2012-11-05",
        "lacks_lunch": "1",
    }


def done(act: str, by: str) -> dict[str, Any]:
    role = {"certify": "director", "acknowledge": "area", "cancel": "hq"}.get(act, "clerk")
    return {
        "act": act,
        "by": by,
        "role": role,
        "at": "2021-11-10T10:02:00+07:00",
        "sha256": SHA256,
        "pupils": 170,
        "reason": "",
    }


def schools() -> list[dict[str, Any]]:
    states = ("certified", "certified", "confirmed", "ready", "draft", "empty", "acknowledged")
    names = (
        "บ้านทุ่งทดสอบ",
        "วัดคลองสมมติ",
        "บ้านหนองตัวอย่าง",
        "ชุมชนวัดทดลอง",
        "บ้านดงลอง",
        "วัดใหม่สมมุติ",
        "อนุบาลตัวอย่าง",
    )
    return [
        {
            "school": str(1066350177 + 11 * place),
            "name": names[place],
            "esa": ESA,
            "state": state,
            "pupils": 0 if state == "empty" else 60 + 37 * place,
            "errors": 3 if state == "draft" else 0,
            "unexplained": 1 if state == "draft" else 0,
            "cases_open": 1 if place in (3, 4) else 0,
            "revision": 2,
            "sha256": None if state == "empty" else SHA256,
            "locked": state == "draft",
        }
        for place, state in enumerate(states)
    ]


def summary() -> dict[str, Any]:
    by_state = {"empty": 4, "draft": 11, "ready": 14, "confirmed": 22, "certified": 61, "acknowledged": 11}
    return {"schools": sum(by_state.values()), "pupils": 14_873, "by_state": by_state}


def cases() -> list[dict[str, Any]]:
    parties = [
        {"school": SCHOOL, "name": NAME, "esa": ESA, "line": 12, "answer": "ours", "sentence": "มาเรียนทุกวัน มีใบลงเวลา"},
        {"school": "1066350188", "name": "วัดคลองสมมติ", "esa": ESA, "line": 3, "answer": "none", "sentence": ""},
    ]  # fmt: skip
    return [
        {
            "case": "c-1",
            "state": "open",
            "decision": "",
            "opened_at": "2021-11-10T09:12:00+07:00",
            "revision": 1,
            "parties": parties,
        }
    ]


def rounds() -> list[dict[str, Any]]:
    labels = (
        ("2564-1", "ภาคเรียนที่ 1 ปีการศึกษา 2564", "Term 1 of academic year 2564", "sealed", "2021-06-25"),
        (ROUND, "ภาคเรียนที่ 2 ปีการศึกษา 2564", "Term 2 of academic year 2564", "open", "2021-11-10"),
        ("2564-end", "สิ้นปีการศึกษา 2564", "End of academic year 2564", "planned", "2022-04-30"),
    )
    activities = [
        {"key": "update", "th": "ปรับปรุงข้อมูลนักเรียนรายบุคคล", "en": "Bring the roll up to date", "who": ["school"], **window("2021-10-15T00:00", "2021-11-11T00:00")},
        {"key": "confirm", "th": "ยืนยันข้อมูลทุกรายการ", "en": "Confirm every item", "who": ["school"], **_DAY},
        {"key": "certify", "th": "ผู้อำนวยการรับรองการมีตัวตน", "en": "The director certifies", "who": ["director"], **_DAY},
        {"key": "acknowledge", "th": "เขตรับทราบ", "en": "The area acknowledges", "who": ["area"], **window("2021-11-11T00:00", "2021-11-12T00:00", is_open=False)},
    ]  # fmt: skip
    return [
        {
            "round": name,
            "kind": "roster",
            "label_th": th,
            "label_en": en,
            "state": state,
            "count_day": count_day,
            "activities": activities,
            "open_now": [],
        }
        for name, th, en, state, count_day in labels
    ]


def closure(state: str) -> dict[str, Any]:
    awaiting = [{"who": "dedup", "th": "การตัดสินรายการซ้ำซ้อน", "en": "Settling of duplicates"}]
    return {
        "closure": "k-1",
        "state": state,
        "since": "2021-11-11T18:00:00+07:00",
        "awaiting": [] if state in ("sealed", "aborted") else awaiting,
        "steps": [{"step": "closing", "at": "2021-11-11T18:00:00+07:00"}],
    }


def seal() -> dict[str, Any]:
    payload = {"schools": 123, "pupils": 14_873, "counted": 14_590, "root": SHA256, "closed_at": "2021-11-11T18:01:00+07:00"}  # fmt: skip
    return {"payload": payload, "kid": "k", "alg": "EdDSA", "signature": "s"}


def budget() -> dict[str, Any]:
    line = {"level": "P", "grade": "", "item": "teaching", "item_th": "ค่าจัดการเรียนการสอน", "item_en": "Teaching", "heads": 120, "rate": 950, "baht": 114_000, "certainty": "verified"}  # fmt: skip
    return {
        "baht": 114_000,
        "payment": "โอนครั้งเดียว",
        "by_certainty": {"verified": 114_000, "recall": 0},
        "heads_without_rate": 2,
        "lines": [line],
    }


def counts() -> dict[str, Any]:
    return {"counted": 14_590, "not_counted": {"not-certified": 201, "under-age": 82}}


def exports() -> list[dict[str, Any]]:
    file = {"name": "students.csv", "bytes": 5_000_000, "sha256": SHA256}
    return [
        {
            "export": "e-1",
            "state": "built",
            "rows": 14_873,
            "progress": {"schools": 123, "total": 123},
            "files": [file],
            "error": None,
        }
    ]
