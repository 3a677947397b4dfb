"""One round through the pages, by clerk, director, area officer and headquarters; screenshots in .tabian/browser/."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import Window

if TYPE_CHECKING:
    from tests.browser.conftest import Theatre

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(280)]
ROUND = "2564-2"
ANSWER = "มาเรียนทุกวัน มีใบลงเวลาและสมุดประจำตัว"


def test_one_round_through_the_pages(theatre: Theatre, tmp_path: Path) -> None:
    theatre.at("2021-10-20T09:00:00")
    _clerk_makes_the_roll_ready(theatre)
    theatre.at("2021-11-10T09:00:00")
    _clerk_confirms(theatre)
    _director_certifies(theatre)
    theatre.at("2021-11-11T09:00:00")
    _area_decides_and_acknowledges(theatre)
    _headquarters_closes(theatre, tmp_path)


def _clerk_makes_the_roll_ready(theatre: Theatre) -> None:
    clerk = theatre.window(f"clerk-{theatre.school.code}")
    page = clerk.page
    expect(page.locator("#headline")).to_contain_text("ยังไม่ได้ส่งรายชื่อนักเรียน")
    clerk.shot("01-clerk-empty")
    _send(page, theatre.file("wrong"))
    expect(page.get_by_role("heading", level=1)).to_have_text("ไม่รับไฟล์นี้ รายชื่อรุ่นเดิมยังอยู่")
    clerk.shot("02-clerk-refused")
    page.get_by_role("link", name="ไปหน้าโรงเรียน").click()
    _send(page, theatre.file("first"))
    page.get_by_role("link", name="ไปหน้าโรงเรียน").click()
    expect(page.locator(".sev-error").first).to_be_visible()
    clerk.shot("03-clerk-findings")
    _edit_a_pupil(clerk)
    _send(page, theatre.file("fixed"))
    page.get_by_role("link", name="ไปหน้าโรงเรียน").click()
    _explain_every_warning(page)
    _answer_duplicates(clerk)
    expect(page.locator(".state").first).to_have_text("พร้อมยืนยัน")
    clerk.shot("06-clerk-ready")
    clerk.close()


def _send(page: Page, file: Path) -> None:
    page.set_input_files("#roster", file)
    page.get_by_role("button", name="ส่งไฟล์").click()
    expect(page.get_by_role("link", name="ไปหน้าโรงเรียน")).to_be_visible()


def _edit_a_pupil(clerk: Window) -> None:
    page = clerk.page
    page.locator("#findings").get_by_role("link", name="แก้คนนี้").first.click()
    expect(page.locator(".is-marked")).to_be_focused()
    clerk.shot("04-clerk-pupil")
    page.locator("details", has=page.locator("#f-weight_kg")).locator("summary").click()
    page.fill("#f-weight_kg", "31.5")
    page.get_by_role("button", name="บันทึกและตรวจใหม่").click()
    page.get_by_role("link", name="ไปหน้าโรงเรียน").click()
    expect(page.locator("#upload")).to_contain_text("แก้ไขในระบบ")


def _explain_every_warning(page: Page) -> None:
    forms = page.locator("#findings details")
    while left := forms.count():
        forms.first.locator("summary").click()
        forms.first.locator("textarea").fill("ตรวจกับทะเบียนบ้านแล้ว ถูกต้อง")
        forms.first.get_by_role("button", name="บันทึก").click()
        expect(forms).to_have_count(left - 1)


def _answer_duplicates(clerk: Window) -> None:
    """Two cases: one pupil is ours, the other is taken off the roll."""
    page, cases = clerk.page, clerk.page.locator("#duplicates .case")
    for _ in range(60):
        if cases.count() == 2:
            break
        page.wait_for_timeout(250)
        page.reload()
    clerk.shot("05-clerk-duplicates")
    cases.first.get_by_text("เป็นนักเรียนของเรา").click()
    cases.first.locator("textarea").fill(ANSWER)
    cases.first.get_by_role("button", name="ส่งคำชี้แจง").click()
    clerk.said("ส่งคำชี้แจงแล้ว")
    expect(page.locator("#duplicates")).to_contain_text(ANSWER)
    other = cases.filter(has_text="ไม่ใช่ของเรา").first
    other.get_by_text("ไม่ใช่ของเรา").click()
    other.get_by_role("button", name="นำออกจากรายชื่อ").click()
    page.get_by_role("link", name="ไปหน้าโรงเรียน").click()


def _clerk_confirms(theatre: Theatre) -> None:
    phone = theatre.window(f"clerk-{theatre.school.code}", phone=True)
    phone.shot("07-clerk-day")
    _confirm(phone)
    phone.page.get_by_role("button", name="ถอนการยืนยันเพื่อแก้ไข").click()
    phone.said("ถอนการยืนยันแล้ว")
    _confirm(phone)
    phone.shot("08-clerk-confirmed")
    phone.page.get_by_role("link", name="English").click()
    expect(phone.page.locator("html")).to_have_attribute("lang", "en")
    expect(phone.page.locator("#headline")).to_contain_text("Confirmed; waiting for the director to certify")
    phone.shot("09-clerk-english")
    phone.close()


def _confirm(window: Window) -> None:
    window.page.get_by_role("button", name="ยืนยันข้อมูลถูกต้อง").click()
    window.said("ยืนยันแล้ว ได้ใบรับแล้ว")


def _director_certifies(theatre: Theatre) -> None:
    director = theatre.window(f"director-{theatre.school.code}")
    page = director.page
    page.get_by_role("link", name="ไปหน้ารับรอง").click()
    expect(page.locator(".statement")).to_contain_text("มีตัวตนอยู่จริง")
    director.shot("10-director-statement")
    page.fill("#password", "a-password-for-tests")
    page.get_by_role("button", name="ยืนยันตัวตน").click()
    page.get_by_role("button", name=re.compile("ข้าพเจ้าขอรับรอง")).click()
    director.said("รับรองแล้ว ได้ใบรับแล้ว")
    director.shot("11-director-certified")
    director.close()


def _area_decides_and_acknowledges(theatre: Theatre) -> None:
    area = theatre.window("area-6602")
    page = area.page
    area.shot("12-area")
    page.get_by_role("link", name="เปิดรายการ").click()
    case = page.locator("section.panel", has_text=ANSWER)
    if not case.locator("form").is_visible():
        case.locator("summary").click()
    area.shot("13-area-duplicates")
    case.get_by_label(re.compile("^(?!ไม่ใช่)")).first.check()
    case.locator("textarea").fill("ลงพื้นที่ตรวจแล้ว")
    case.get_by_role("button", name="บันทึกคำตัดสิน").click()
    area.said("บันทึกคำตัดสินแล้ว")
    page.get_by_role("link", name="งานของฉัน").click()
    page.get_by_role("button", name=re.compile("รับทราบโรงเรียนที่เลือก")).click()
    area.said("รับทราบแล้ว 1 โรงเรียน")
    area.shot("14-area-acknowledged")
    area.close()


def _headquarters_closes(theatre: Theatre, folder: Path) -> None:
    hq = theatre.window("obec")
    page = hq.page
    hq.shot("15-nation")
    page.fill("#really", ROUND)
    page.get_by_role("button", name="ปิดรอบ").click()
    expect(page.locator("#seal-title")).to_be_visible(timeout=60_000)
    hq.shot("16-nation-sealed")
    page.get_by_role("button", name="สร้างชุดข้อมูล").click()
    expect(page.locator("#package li").first).to_be_visible(timeout=60_000)
    hq.shot("17-nation-package")
    with page.expect_download() as coming:
        page.get_by_role("link", name="datapackage.json").click()
    coming.value.save_as(folder / "datapackage.json")
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert {one["name"] for one in described["resources"]} >= {"schools", "students"}
    page.get_by_role("link", name="ตารางงบประมาณ").click()
    hq.shot("18-budget")
    page.get_by_role("link", name="ปฏิทินรอบ").click()
    hq.shot("19-rounds")
    hq.close()


def test_a_keyboard_reaches_everything_from_the_top(theatre: Theatre) -> None:
    window = theatre.window("area-6602", phone=True)
    page = window.page
    page.goto(f"/rounds/{ROUND}/duplicates")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("ข้ามไปที่เนื้อหา")
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    window.shot("20-area-duplicates")
    page.goto("/")
    window.shot("21-area")
    window.close()
