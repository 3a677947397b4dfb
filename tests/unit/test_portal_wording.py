"""The one line that says where a school stands, and why a button is not there, before, in and after the window."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gateway.portal.language import round_name, span
from gateway.portal.pages.area import shares
from gateway.portal.pages.rounds import current
from gateway.portal.pages.school import by_grade
from gateway.portal.wording import headline, why_not
from tests.support import fake_data as data

BEFORE, DURING, AFTER = "2021-11-09T12:00", "2021-11-10T12:00", "2021-11-10T16:30"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+07:00")


def school(state: str, moment: str, **more: Any) -> dict[str, Any]:
    found = data.school() | {"state": state, "may": [], "blocks": []} | more
    for act in ("confirm", "certify"):
        found["windows"][act]["open"] = BEFORE < moment < AFTER
    return found


@pytest.mark.parametrize(
    ("state", "moment", "said"),
    [
        ("empty", BEFORE, "ยังไม่ได้ส่งรายชื่อนักเรียน · ยืนยันได้ 10 พ.ย. 2564 เวลา 08.30 น. - 16.30 น."),
        ("draft", DURING, "ต้องเสร็จก่อน 16.30 น. วันนี้"),
        ("ready", DURING, "รายชื่อพร้อมแล้ว ยังไม่ได้ยืนยัน"),
        ("ready", AFTER, "ไม่ได้ยืนยันในเวลา: นักเรียนของโรงเรียนจะไม่ถูกนับในรอบนี้"),
        ("confirmed", DURING, "รอผู้อำนวยการรับรอง"),
        ("confirmed", AFTER, "ไม่ได้รับรองในเวลา"),
        ("certified", AFTER, "รอเขตรับทราบ"),
        ("acknowledged", AFTER, "เขตรับทราบแล้ว"),
        ("sealed", AFTER, "เปลี่ยนไม่ได้อีก"),
    ],
)
def test_the_headline(state: str, moment: str, said: str) -> None:
    assert said in headline(school(state, moment), at(moment))


@pytest.mark.parametrize(
    ("found", "act", "moment", "said"),
    [
        (school("ready", DURING, may=["confirm"]), "confirm", DURING, ""),
        (school("ready", BEFORE), "confirm", BEFORE, "เปิดให้ทำ 10 พ.ย. 2564 08.30 น."),
        (school("ready", AFTER), "confirm", AFTER, "หมดเวลาแล้วเมื่อ 10 พ.ย. 2564 16.30 น."),
        (school("draft", DURING, blocks=[{"code": "x"}]), "confirm", DURING, "ยังมีรายการที่ต้องทำก่อนยืนยัน"),
        (school("ready", DURING, locked=True), "confirm", DURING, "ส่วนกลางระงับ"),
        (school("ready", DURING, upload={"state": "checking"}), "confirm", DURING, "กำลังตรวจไฟล์"),
        (school("certified", DURING), "certify", DURING, "ทำแล้ว"),
        (school("ready", DURING), "certify", DURING, "ยังทำขั้นตอนนี้ไม่ได้"),
    ],
)
def test_why_a_button_is_not_there(found: dict[str, Any], act: str, moment: str, said: str) -> None:
    reason = why_not(found, act, at(moment))
    assert said in reason
    assert bool(said) == bool(reason)


def test_counts_become_a_table_in_school_order() -> None:
    counts = [
        {"grade": "ม.1", "sex": "ช", "pupils": 1},
        {"grade": "ป.6", "sex": "ญ", "pupils": 2},
        {"grade": "ป.6", "sex": "", "pupils": 4},
        {"grade": "ป.6", "sex": "ช", "pupils": 3},
        {"grade": "??", "sex": "ช", "pupils": 5},
    ]
    table = by_grade(counts)
    assert table["rows"] == [("ป.6", 3, 2, 9), ("ม.1", 1, 0, 1), ("??", 5, 0, 5)]
    assert table["total"] == [9, 2, 15]
    assert by_grade([]) == {"rows": [], "total": [0, 0, 0]}


def test_shares_add_up_in_the_order_of_the_round() -> None:
    found = shares({"by_state": {"certified": 3, "empty": 1, "draft": 0}})
    assert found == [("empty", 1, 0.25), ("certified", 3, 0.75)]
    assert shares({}) == []


def test_the_round_people_come_for() -> None:
    rounds = data.rounds()
    assert current(rounds)["round"] == "2564-2"  # type: ignore[index]
    sealed = [one | {"state": "sealed"} for one in rounds[:2]]
    assert current(sealed)["round"] == "2564-2"  # type: ignore[index]
    assert current([rounds[2]]) is None
    assert current([rounds[1] | {"kind": "buildings"}]) is None


def test_rounds_and_windows_as_people_say_them() -> None:
    assert round_name("2564-2") == "ภาคเรียนที่ 2 ปีการศึกษา 2564"
    assert round_name("2564-end") == "สิ้นปีการศึกษา 2564"
    assert round_name("bobec-2564") == "ข้อมูลอาคารและที่ดิน ปี 2564"
    assert round_name("x") == "x"
    assert span({}) == ""
    assert span({"opens": "nonsense", "closes": None}) == ""
