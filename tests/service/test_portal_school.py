"""The pages of a school: upload, findings, one pupil, duplicates, confirm and certify, against a stand-in."""

from __future__ import annotations

import io
import re

import pytest

from services.kit.errors import Problem
from tests.support.fake_api import ROUND, SCHOOL
from tests.support.fake_data import MAY, SHA256, UPLOAD
from tests.support.portal_desk import PortalDesk
from tests.support.visitor import PASSWORD

PAGE = f"/rounds/{ROUND}/schools/{SCHOOL}"


def become(portal: PortalDesk, state: str) -> None:
    portal.services.school |= {"state": state, "may": MAY[state], "blocks": []}


def test_the_clerks_page_says_where_the_school_stands_and_what_blocks_it(portal: PortalDesk) -> None:
    text = portal.person("somchai").page("/")
    assert '<html lang="th">' in text
    assert "ส่งรายชื่อแล้ว แต่ยังมีรายการที่ต้องแก้ ต้องเสร็จก่อน 16.30 น. วันนี้" in text
    assert '<a href="#findings">มีข้อผิดพลาดที่ต้องแก้ 2 รายการ</a>' in text
    assert '<a href="#duplicates">' in text
    assert "10 พ.ย. 2564 เวลา 08.30 น. - 16.30 น." in text
    assert "เลขตรวจสอบหลักที่ 13 ไม่ถูกต้อง" in text
    assert "disabled" in text.split("ยืนยันข้อมูลถูกต้อง")[0].rsplit("<button", 1)[1]


def test_the_same_page_in_english_stays_english(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    text = clerk.page(f"{PAGE}?lang=en")
    assert '<html lang="en">' in text
    assert "due by 16:30 today" in text
    assert "10 Nov 2021 (2564), 08:30 to 16:30" in text
    assert "The check digit is wrong" in text
    assert "Needs work" in clerk.page(PAGE)
    assert "มีรายการต้องแก้" in clerk.page(f"{PAGE}?lang=th")


def test_a_file_goes_to_intake_as_it_is_and_the_page_waits_for_it(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    file = (io.BytesIO("รหัสโรงเรียน\n".encode()), "นักเรียน ป.1.csv", "text/csv")
    answer = clerk.send(f"{PAGE}/upload", follow=False, roster=file)
    assert answer.headers["Location"] == f"{PAGE}/uploads/{UPLOAD}"
    assert portal.services.sent("PUT", "/roster")[0] == "รหัสโรงเรียน\n".encode()
    waiting = clerk.page(answer.headers["Location"])
    assert f'data-lookout="/uploads/{UPLOAD}/state"' in waiting
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in waiting
    state = clerk.get(f"/uploads/{UPLOAD}/state").json
    assert state == {"waiting": False, "text": "ตรวจเสร็จ รับเป็นรายชื่อรุ่นปัจจุบัน"}
    assert "ไปหน้าโรงเรียน" in clerk.page(answer.headers["Location"])


def test_no_file_and_a_refused_file_are_told(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    assert "เลือกไฟล์ก่อน" in clerk.send(f"{PAGE}/upload").text
    portal.services.refusals["/roster"] = Problem(409, "undo-first", "ถอนก่อน", "Undo first")
    file = (io.BytesIO(b"a"), "a.csv")
    assert "ถอนก่อน" in clerk.send(f"{PAGE}/upload", roster=file).text


def test_a_file_too_large_is_refused_before_it_is_read(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    answer = clerk.client.post(
        f"{PAGE}/upload",
        data={"roster": (io.BytesIO(b"x"), "a.csv")},
        environ_overrides={"CONTENT_LENGTH": str(200 * 1024 * 1024)},
    )
    assert answer.status_code == 413
    assert "16 MB" in answer.text
    assert portal.services.calls == []


def test_only_uploads_may_be_large(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    assert clerk.send(f"{PAGE}/explanations", sentence="x" * 100_000).status_code == 413


def test_a_rejected_file_is_shown_with_its_reason(portal: PortalDesk) -> None:
    reason = {"code": "header-missing", "th": "ไม่พบแถวหัวตาราง", "en": "No header row was found"}
    portal.services.school["upload"] |= {"state": "rejected", "reason": reason}
    clerk = portal.person("somchai")
    assert "ไม่พบแถวหัวตาราง" in clerk.page(PAGE)
    assert "No header row was found" in clerk.page(f"{PAGE}?lang=en")


def test_a_warning_is_explained(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    answer = clerk.send(
        f"{PAGE}/explanations", rule="title-age", key="k41", sentence=" ใช้คำนำหน้าตามทะเบียนบ้าน "
    )
    assert "บันทึกคำอธิบายแล้ว" in answer.text
    sent, _ = portal.services.sent("POST", "/explanations")
    assert sent == {"rule": "title-age", "key": "k41", "sentence": "ใช้คำนำหน้าตามทะเบียนบ้าน"}


def test_one_pupil_is_edited_by_the_fields_that_changed(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    text = clerk.page(f"{PAGE}/pupils/k17?field=national_id")
    assert 'value="05/11/2555"' in text
    assert f'name="sha256" value="{SHA256}"' in text
    fields = {"sha256": SHA256, "birth_date": "๖/๑๑/๒๕๕๕", "grade": "ป.3", "room": "2"}
    answer = clerk.send(f"{PAGE}/pupils/k17", follow=False, **fields)
    assert answer.headers["Location"] == f"{PAGE}/uploads/{UPLOAD}"
    assert portal.services.sent("PATCH", "/students/k17") == (
        {"room": "2", "birth_date": "2012-11-06"},
        f'"{SHA256}"',
    )


def test_an_edit_of_an_old_version_keeps_what_was_typed(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    fields = {"sha256": "old", "first_name_th": "<script>alert(1)</script>"}
    clerk.page(f"{PAGE}/pupils/k17")
    real = portal.services._pupil

    def stale(key: str) -> object:
        if portal.services.calls[-1][0] == "PATCH":
            raise Problem(412, "stale-version", "ข้อมูลเปลี่ยนไปแล้ว", "The roll has changed")
        return real(key)

    portal.services.app.view_functions["pupil"] = stale
    answer = clerk.send(f"{PAGE}/pupils/k17", **fields)
    assert answer.status_code == 412
    assert "ข้อมูลเปลี่ยนไปแล้ว" in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script>alert" not in answer.text


def test_an_unchanged_pupil_is_not_sent(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    assert "ไม่มีช่องใดเปลี่ยน" in clerk.send(f"{PAGE}/pupils/k17", sha256=SHA256, grade="ป.3").text
    assert all(call[0] != "PATCH" for call in portal.services.calls)


def test_a_duplicate_is_answered_or_the_pupil_removed(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    assert "เด็กหญิงสมมติ ทดสอบ" in clerk.page(PAGE)
    assert "โรงเรียนชี้แจงแล้ว" in clerk.send(f"{PAGE}/duplicates/c-1", sentence="มาเรียนทุกวัน").text
    assert portal.services.sent("POST", "/evidence")[0] == {"school": SCHOOL, "sentence": "มาเรียนทุกวัน"}
    clerk.send(f"{PAGE}/pupils/a1b2c3/removal", follow=False, sha256=SHA256)
    assert portal.services.sent("DELETE", "/students/a1b2c3")[1] == f'"{SHA256}"'


def test_confirming_names_the_version_and_can_be_undone(portal: PortalDesk) -> None:
    become(portal, "ready")
    clerk = portal.person("somchai")
    text = clerk.page(PAGE)
    assert SHA256[:12] in text
    assert "162 คน" in text
    assert "disabled" not in text.split("ยืนยันข้อมูลถูกต้อง")[0].rsplit("<button", 1)[1]
    after = clerk.send(f"{PAGE}/confirmation", sha256=SHA256).text
    assert portal.services.sent("POST", "/confirmation")[1] == f'"{SHA256}"'
    assert "ยืนยันแล้ว ได้ใบรับแล้ว" in after
    assert "ถอนการยืนยันเพื่อแก้ไข" in after
    assert "ถอนการยืนยันแล้ว" in clerk.send(f"{PAGE}/confirmation/undo", sha256=SHA256).text


@pytest.mark.parametrize(("language", "said"), [("th", "ยังยืนยันไม่ได้"), ("en", "This cannot be confirmed yet")])
def test_a_refused_confirmation_says_why_in_the_pages_language(
    portal: PortalDesk, language: str, said: str
) -> None:
    refusal = Problem(409, "blocked", "ยังยืนยันไม่ได้", "This cannot be confirmed yet")
    portal.services.refusals["/confirmation"] = refusal
    clerk = portal.person("somchai")
    clerk.page(f"{PAGE}?lang={language}")
    assert said in clerk.send(f"{PAGE}/confirmation", sha256=SHA256).text


def test_what_a_service_finds_wrong_with_a_field_is_told(portal: PortalDesk) -> None:
    faults = {"sentence": ["5-500 ตัวอักษร / 5 to 500 characters"]}
    refusal = Problem(422, "invalid-body", "ข้อมูลที่ส่งไม่ถูกต้อง", "Not valid", errors=faults)
    portal.services.refusals["/explanations"] = refusal
    text = portal.person("somchai").send(f"{PAGE}/explanations", rule="r", key="k", sentence="ก").text
    assert "ข้อมูลที่ส่งไม่ถูกต้อง (sentence: 5-500 ตัวอักษร / 5 to 500 characters)" in text


def test_the_director_proves_who_they_are_and_certifies_the_statement(portal: PortalDesk) -> None:
    become(portal, "confirmed")
    director = portal.person("malee")
    text = director.page(f"{PAGE}/certify")
    assert "ข้าพเจ้าขอรับรองว่านักเรียนตามทะเบียนฉบับนี้มีตัวตนอยู่จริง" in text
    assert "<td>80</td><td>82</td><td>162</td>" in text
    assert "ใส่รหัสผ่านอีกครั้ง" in text
    assert not portal.services.tokens[-1].stepped_up
    wrong = director.send("/step-up", password="wrong password", next=f"{PAGE}/certify").text
    assert "รหัสผ่านไม่ถูกต้อง" in wrong
    assert "ใส่รหัสผ่านอีกครั้ง" in wrong
    ready = director.send("/step-up", password=PASSWORD, next=f"{PAGE}/certify").text
    assert "ข้าพเจ้าขอรับรอง (162 คน)" in ready
    statement = portal.services.school["statement"]["th"]
    done = director.send(f"{PAGE}/certification", sha256=SHA256, statement=statement).text
    assert "รับรองแล้ว" in done
    assert portal.services.tokens[-1].stepped_up
    assert portal.services.sent("POST", "/certification") == ({"statement": statement}, f'"{SHA256}"')


def test_the_clerk_cannot_send_the_directors_form_nor_the_other_way(portal: PortalDesk) -> None:
    assert portal.person("somchai").send(f"{PAGE}/certification", sha256=SHA256).status_code == 404
    assert portal.person("malee").send(f"{PAGE}/confirmation", sha256=SHA256).status_code == 404
    assert portal.services.calls == []


def test_receipts_roll_and_findings_are_downloads(portal: PortalDesk) -> None:
    clerk = portal.person("somchai")
    for address, kind in (
        (f"{PAGE}/receipts.json", "application/json"),
        (f"{PAGE}/proof.json", "application/json"),
        (f"{PAGE}/roster.csv", "text/csv"),
        (f"{PAGE}/uploads/{UPLOAD}/findings.csv", "text/csv"),
    ):
        answer = clerk.get(address)
        assert answer.status_code == 200
        assert answer.content_type.startswith(kind)
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert clerk.get(f"{PAGE}/roster.csv").headers["ETag"] == f'"{SHA256}"'


def test_a_missing_part_leaves_the_rest_of_the_page(portal: PortalDesk) -> None:
    portal.services.away = {"/findings", "/receipts"}
    text = portal.person("somchai").page(PAGE)
    assert "ยังไม่ตอบ" in text
    assert "ส่งไฟล์รายชื่อนักเรียน" in text


def test_a_service_that_is_away_is_a_calm_page_that_tries_again(portal: PortalDesk) -> None:
    portal.services.away = {"/schools/"}
    answer = portal.person("somchai").get(PAGE)
    assert answer.status_code == 503
    assert "ข้อมูลที่ส่งไว้แล้วไม่หาย" in answer.text
    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', answer.text)
    assert "ออกจากระบบ" in answer.text


def test_nothing_typed_or_stored_is_ever_markup(portal: PortalDesk) -> None:
    evil = '"><script>alert(1)</script>'
    portal.services.school |= {"name": evil, "esa_name": evil}
    portal.services.school["upload"] |= {"filename": evil}
    portal.services.findings[0]["th"] = evil
    text = portal.person("somchai").page(f"{PAGE}?q={evil}")
    assert "<script>alert" not in text
