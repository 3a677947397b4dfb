"""What people see while the system is full, and that they get through by themselves: behind a real edge whose places are
taken, with scripts and without. Screenshots in .tabian/browser/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from services.kit.service import Service
from tests.support.browsing import Window, browser
from tests.support.full_house import CLERK, House, full_house
from tests.support.intake_desk import SCHOOL
from tests.support.rosters import ROUND, csv_file, roll
from tests.support.visitor import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(280)]
PAGE = f"/rounds/{ROUND}/schools/{SCHOOL}"
CLOSES = datetime.fromisoformat("2021-11-10T16:30:00+07:00")
SHOTS = Path(".tabian/browser")
THROUGH_MS = 45_000
"""Longer than the longest pause between two tries."""
FULL = "ระบบเต็มชั่วคราว"


@pytest.fixture
def house(tmp_path: Path, database_url: Callable[[Service], str]) -> Iterator[House]:
    with full_house(tmp_path, database_url) as house:
        yield house


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def clerk(house: House, chromium: Browser) -> Iterator[Callable[..., Window]]:
    """`clerk(phone=…, scripts=…)` → a window with the clerk signed in, on the school's page."""
    opened: list[Window] = []

    def open_window(**how: bool) -> Window:
        window = Window(chromium, house.address, SHOTS, **how)
        opened.append(window)
        window.sign_in(CLERK, PASSWORD)
        window.page.goto(PAGE)
        return window

    yield open_window
    for window in opened:
        window.close()


def _shot(window: Window, name: str) -> None:
    """The browser notes every answer that did not come as an error; here these are what is looked at."""
    window.problems[:] = [one for one in window.problems if "Failed to load resource" not in one]
    window.shot(name)


def _confirm(window: Window) -> None:
    window.page.get_by_role("button", name="ยืนยันข้อมูลถูกต้อง").click()


def _last_moments(house: House) -> None:
    """Long enough to fill the system and press the button also where other tests run beside."""
    house.clock_runs_from("2021-11-10T16:29:35")


def _wait_past_the_end(house: House, window: Window) -> None:
    while house.intake.bench.runtime.clock.now() < CLOSES:
        window.page.wait_for_timeout(200)


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])
def test_who_confirms_in_a_full_system_waits_gets_through_and_is_in_time(
    house: House, clerk: Callable[..., Window], phone: bool
) -> None:
    house.clock_runs_from("2021-11-10T16:20:00")
    window = clerk(phone=phone)
    page = window.page
    _last_moments(house)
    page.reload()
    with house.full("intake-api"):
        _confirm(window)
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        expect(page.get_by_role("heading", level=1)).to_contain_text(FULL)
        expect(page.locator("[data-arrived]")).to_have_text(re.compile(r"16\.29\.\d\d น\."))
        expect(page.locator("[data-queue-number]")).to_have_text(re.compile(r"[1-9]"))
        expect(page.get_by_role("status").filter(has_text="จะลองใหม่เอง")).to_contain_text("รอบที่ 2")
        _shot(window, "30-waiting")
        _wait_past_the_end(house, window)
    expect(page.locator(".alert-success")).to_contain_text("ยืนยันแล้ว ได้ใบรับแล้ว", timeout=THROUGH_MS)
    expect(page.locator(".state").first).to_have_text("โรงเรียนยืนยันแล้ว")
    assert page.url.endswith(PAGE)
    assert (CLOSES - house.arrived("confirm")).total_seconds() > 0
    _shot(window, "31-waited")


def test_without_scripts_one_button_sends_the_same_act_from_either_page(
    house: House, clerk: Callable[..., Window]
) -> None:
    house.clock_runs_from("2021-11-10T16:20:00")
    window = clerk(scripts=False, phone=True)
    page = window.page
    with ExitStack() as troubles:
        portal_away = troubles.enter_context(ExitStack())
        portal_away.enter_context(house.away("portal"))
        _last_moments(house)
        _confirm(window)
        expect(page.locator(".kept")).to_contain_text("เวลานี้จดไว้แล้ว")
        page.get_by_role("button", name="ลองอีกครั้ง").click()
        expect(page.locator(".kept")).to_contain_text("เวลานี้จดไว้แล้ว")
        _shot(window, "32-edge-act")
        troubles.enter_context(house.full("intake-api"))
        portal_away.close()
        for _ in range(30):  # until the edge has seen that the portal is back
            page.get_by_role("button", name="ลองอีกครั้ง").click()
            if page.locator("[data-arrived]").first.is_visible():
                break
            page.wait_for_timeout(500)
        expect(page.locator("[data-arrived]").first).to_have_text(re.compile(r"16\.29\.\d\d น\."))
        _shot(window, "33-waiting-act-plain")
        _wait_past_the_end(house, window)
    page.get_by_role("button", name="ลองอีกครั้ง").click()
    window.said("ยืนยันแล้ว ได้ใบรับแล้ว")
    assert (CLOSES - house.arrived("confirm")).total_seconds() > 0


def test_a_file_that_finds_no_room_is_kept_and_sent(
    house: House, clerk: Callable[..., Window], tmp_path: Path
) -> None:
    house.clock_runs_from("2021-10-20T09:10:00")
    window, file = clerk(), tmp_path / "roll.csv"
    page = window.page
    file.write_bytes(csv_file(roll(1, 4)))
    with house.full("intake-uploads"):
        page.set_input_files("#roster", file)
        page.get_by_role("button", name="ส่งไฟล์").click()
        expect(page.locator("main")).to_contain_text("ไฟล์ที่เลือกยังอยู่ครบ")
        _shot(window, "34-waiting-upload")
        page.get_by_role("button", name="หยุดรอ").click()
        expect(page.locator("#roster")).to_have_value(re.compile("roll.csv"))
        page.get_by_role("button", name="ส่งไฟล์").click()
        expect(page.get_by_role("status").filter(has_text="รอบที่ 2")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("กำลังตรวจไฟล์", timeout=THROUGH_MS)
    house.intake.bench.jobs()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ตรวจเสร็จ", timeout=THROUGH_MS)
    assert house.intake.school()["pupils"] == 4


def test_a_file_that_is_no_longer_there_is_asked_for_again(
    house: House, clerk: Callable[..., Window], tmp_path: Path
) -> None:
    window, file = clerk(), tmp_path / "roll.csv"
    page = window.page
    file.write_bytes(csv_file(roll(1, 4)))
    with house.full("intake-uploads"):
        page.set_input_files("#roster", file)
        page.get_by_role("button", name="ส่งไฟล์").click()
        expect(page.locator("main")).to_contain_text("ไฟล์ที่เลือกยังอยู่ครบ")
        file.unlink()
        expect(page.get_by_role("alert")).to_contain_text("โปรดเลือกไฟล์อีกครั้ง")
    expect(page.get_by_role("button", name="ส่งไฟล์")).to_be_enabled()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
@pytest.mark.parametrize(("pool", "shot"), [("portal", "35-edge-page"), ("intake-api", "36-waiting-page")])
def test_a_page_that_cannot_be_shown_opens_by_itself(
    house: House, clerk: Callable[..., Window], pool: str, shot: str, scripts: bool
) -> None:
    window = clerk(scripts=scripts)
    with house.away(pool):
        window.page.goto(PAGE)
        expect(window.page.get_by_role("heading", level=1)).to_contain_text("โปรดรอสักครู่")
        if not scripts:
            _shot(window, shot)
    expect(window.page.locator("#headline")).to_be_visible(timeout=THROUGH_MS)


def test_signing_in_waits_as_well(house: House, chromium: Browser) -> None:
    window = Window(chromium, house.address, SHOTS)
    window.page.goto("/sign-in")
    window.page.fill("#username", CLERK)
    window.page.fill("#password", PASSWORD)
    with house.away("portal-sign-in"):
        window.page.get_by_role("button", name="เข้าสู่ระบบ").click()
        expect(window.page.get_by_role("heading", level=1)).to_contain_text(FULL)
    expect(window.page.locator("details.account")).to_be_visible(timeout=THROUGH_MS)
    window.close()
