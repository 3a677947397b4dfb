"""The pages of the area and of headquarters: progress, acknowledging, duplicates, closing, package, calendar."""

from __future__ import annotations

from services.kit.errors import Problem
from tests.support import fake_data as data
from tests.support.fake_api import ESA, ROUND, SCHOOL
from tests.support.portal_desk import PortalDesk

AREA = f"/rounds/{ROUND}/areas/{ESA}"
NATION = f"/rounds/{ROUND}/nation"
PAGE = f"/rounds/{ROUND}/schools/{SCHOOL}"


def test_the_area_sees_its_schools_by_state_in_numbers_and_a_picture(portal: PortalDesk) -> None:
    text = portal.person("prayut.area").page("/")
    assert "123 โรงเรียน" in text
    assert 'role="img"' in text
    assert "49.6%" in text
    assert "วัดคลองสมมติ" in text
    assert "รายการซ้ำซ้อนที่รอตัดสิน: 1" in text


def test_the_area_sees_no_pupil_of_a_school(portal: PortalDesk) -> None:
    portal.services.school["state"] = "certified"
    area = portal.person("prayut.area")
    text = area.page(PAGE) + area.page(f"/rounds/{ROUND}/duplicates") + area.page(AREA)
    assert "สมมติ ทดสอบ" not in text
    assert "เลขตรวจสอบ" not in text
    for address in (f"{PAGE}/roster.csv", f"{PAGE}/pupils/k17", f"{PAGE}/certify"):
        assert area.get(address).status_code == 404


def test_ticked_schools_are_acknowledged_by_the_version_on_the_screen(portal: PortalDesk) -> None:
    area = portal.person("prayut.area")
    ticked = [f"{SCHOOL}:{data.SHA256}", f"1066350188:{data.SHA256}"]
    answer = area.send(f"{AREA}/acknowledgements", school=ticked)
    assert "รับทราบแล้ว 2 โรงเรียน" in answer.text
    sent = [call for call in portal.services.calls if call[1].endswith("/acknowledgement")]
    assert [call[3] for call in sent] == [f'"{data.SHA256}"'] * 2


def test_acknowledging_names_who_was_refused(portal: PortalDesk) -> None:
    refusal = Problem(412, "stale-version", "ข้อมูลเปลี่ยนไป", "The version changed")
    portal.services.refusals[f"{SCHOOL}/acknowledgement"] = refusal
    area = portal.person("prayut.area")
    ticked = [f"{SCHOOL}:{data.SHA256}", f"1066350188:{data.SHA256}"]
    text = area.send(f"{AREA}/acknowledgements", school=ticked).text
    assert "รับทราบแล้ว 1 โรงเรียน" in text
    assert f"{SCHOOL}: ข้อมูลเปลี่ยนไป" in text
    assert "ยังไม่ได้เลือกโรงเรียน" in area.send(f"{AREA}/acknowledgements").text


def test_the_area_decides_a_duplicate(portal: PortalDesk) -> None:
    area = portal.person("prayut.area")
    text = area.page(f"/rounds/{ROUND}/duplicates")
    assert "มาเรียนทุกวัน มีใบลงเวลา" in text
    area.send(f"/rounds/{ROUND}/duplicates/c-1/decision", belongs_to=SCHOOL, reason="ไปดูที่โรงเรียนแล้ว")
    sent, _ = portal.services.sent("POST", "/decision")
    assert sent == {"belongs_to": SCHOOL, "reason": "ไปดูที่โรงเรียนแล้ว"}


def test_a_confirmation_is_cancelled_with_a_reason_and_only_headquarters_holds_it(portal: PortalDesk) -> None:
    portal.services.school |= {"state": "certified", "may": data.MAY["certified"], "blocks": []}
    portal.person("prayut.area").send(f"{PAGE}/cancellation", reason="จำนวนไม่ตรง", lock="1")
    assert portal.services.sent("POST", "/cancellation")[0] == {"reason": "จำนวนไม่ตรง", "lock": False}
    portal.person("obec").send(f"{PAGE}/cancellation", reason="ชั้นสูงสุดเป็นศูนย์", lock="1")
    assert portal.services.sent("POST", "/cancellation")[0]["lock"] is True


def test_closing_is_never_one_click_too_many(portal: PortalDesk) -> None:
    hq = portal.person("obec")
    assert "ถ้าปิดรอบตอนนี้ โรงเรียนเหล่านี้จะไม่ถูกนับ" in hq.page("/")
    assert hq.send(f"{NATION}/closure", really="2564-1").status_code == 400
    assert all(call[0] != "POST" for call in portal.services.calls)
    moving = hq.send(f"{NATION}/closure", really=ROUND).text
    assert "การตัดสินรายการซ้ำซ้อน" in moving
    assert f'data-lookout="{NATION}/state"' in moving
    assert hq.get(f"{NATION}/state").json == {"waiting": True, "text": "หยุดรับข้อมูล"}
    assert "การปิดรอบครั้งก่อนถูกยกเลิก" in hq.send(f"{NATION}/closure/abort").text


def test_a_sealed_round_shows_its_seal_budget_and_package(portal: PortalDesk) -> None:
    portal.services.closure = data.closure("sealed")
    hq = portal.person("obec")
    page = hq.page(NATION)
    assert data.SHA256 in page
    assert "โรงเรียนไม่ได้รับรอง" in page
    assert "students.csv" in hq.send(f"{NATION}/exports").text
    file = hq.get("/exports/e-1/students.csv")
    assert file.headers["Content-Disposition"] == "attachment; filename=students.csv"
    assert hq.get(f"{NATION}/package").json == {"waiting": False, "text": "สร้างเสร็จ 123/123"}
    budget = hq.page(f"{NATION}/budget?esa={ESA}&lang=en")
    assert "Teaching" in budget
    assert "114,000" in budget


def test_headquarters_lists_who_is_awaited(portal: PortalDesk) -> None:
    text = portal.person("obec").page(f"{NATION}/schools?state=draft")
    assert "บ้านดงลอง" in text
    assert "อนุบาลตัวอย่าง" not in text


def test_part_of_the_nation_away_leaves_the_rest(portal: PortalDesk) -> None:
    portal.services.away = {"/closure"}
    text = portal.person("obec").page(NATION)
    assert "ยังไม่ตอบ" in text
    assert "123 โรงเรียน" in text
    assert 'name="really"' not in text


def test_the_calendar_in_both_languages_and_eras(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    assert "ข้อมูล ณ วันที่ 10 พ.ย. 2564" in clerk.page("/rounds")
    assert "15 ต.ค. 2564 - 10 พ.ย. 2564" in clerk.page("/rounds")
    assert "as of 10 Nov 2021 (2564)" in clerk.page("/rounds?lang=en")
    assert "ขยายเวลาให้บางโรงเรียน" not in clerk.page("/rounds?lang=th")


def test_headquarters_opens_a_round_and_gives_more_time(portal: PortalDesk) -> None:
    hq = portal.person("obec")
    hq.send("/rounds/open", round="2564-end")
    assert portal.services.sent("POST", "/rounds")[0] == {"round": "2564-end"}
    hq.send(
        f"/rounds/{ROUND}/extensions",
        activity="confirm",
        schools=f"{SCHOOL}, 1066350188\n",
        until="2021-11-12T16:30",
    )
    assert portal.services.sent("POST", "/extensions")[0] == {
        "activity": "confirm",
        "schools": [SCHOOL, "1066350188"],
        "until": "2021-11-12T16:30:00+07:00",
    }


def test_operations_are_led_to_their_own_page_and_may_see_the_calendar(portal: PortalDesk) -> None:
    watch = portal.person("watch")
    portal.services.away.add("/rounds")
    assert "ห้องควบคุมวันยืนยันข้อมูล" in watch.page("/")
    portal.services.away.clear()
    assert "รอบการจัดเก็บข้อมูล" in watch.page("/rounds")
