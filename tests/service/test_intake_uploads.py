"""Uploads: what a clerk sends is kept, checked and answered; what cannot be read leaves the earlier version standing."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import pytest

from services.contracts.intake import RosterAccepted, RosterIdentified, SubmissionsChanged
from services.contracts.roster.canonical import digest, unpack
from services.contracts.snapshot import ClosingAnnounced
from tests.support.intake_desk import OTHER, IntakeDesk
from tests.support.rosters import ROUND, csv_file, pupil, roll
from tests.support.tokens import bearer, token


def test_a_sound_file_becomes_a_version_and_tells_the_others(intake: IntakeDesk) -> None:
    upload = intake.upload()
    school = intake.school()
    assert (upload["state"], upload["pupils"], school["state"]) == ("accepted", 3, "ready")
    assert school["sha256"] == upload["sha256"]
    (accepted,) = intake.bench.published(RosterAccepted)
    (identified,) = intake.bench.published(RosterIdentified)
    assert accepted == identified
    assert accepted["sha256"] == upload["sha256"]
    (told,) = intake.bench.published(SubmissionsChanged)[-1]["submissions"]
    assert told["state"] == "ready"


def test_the_document_is_what_its_name_says_and_dedup_gets_no_national_id(intake: IntakeDesk) -> None:
    upload = intake.upload()
    answer = intake.bench.client.get(intake.url("/roster"), headers=intake.clerk)
    assert digest(answer.data) == upload["sha256"] == answer.headers["ETag"].strip('"')
    intake.bench.relay()
    (message,) = [
        m for m in intake.bench.broker.take("dedup", 10, 0) if "identified" in m.headers["cloudEvents:type"]
    ]
    assert message.content_type == "text/csv"
    assert pupil(1)["national_id"].encode() not in unpack(message.body)
    assert pupil(1)["national_id"] not in str(message.headers)


def test_findings_name_row_and_field_and_block_until_corrected(intake: IntakeDesk) -> None:
    upload = intake.upload(csv_file([pupil(1), pupil(2, sex="")]))
    (finding,) = intake.get(f"/api/v1/uploads/{upload['upload']}/findings")["findings"]
    assert (finding["rule"], finding["row"], finding["field"]) == ("sex-missing", 3, "sex")
    assert finding["th"]
    assert finding["fix_en"]
    school = intake.school()
    assert school["state"] == "draft"
    assert [b["code"] for b in school["blocks"]] == ["errors-left"]
    assert intake.upload(csv_file(roll(1, 2)))["state"] == "accepted"
    assert intake.school()["state"] == "ready"


def test_findings_come_as_a_spreadsheet_too(intake: IntakeDesk) -> None:
    upload = intake.upload(csv_file([pupil(2, sex="")]))
    answer = intake.bench.client.get(
        f"/api/v1/uploads/{upload['upload']}/findings", headers={**intake.clerk, "Accept": "text/csv"}
    )
    assert answer.data.startswith(b"\xef\xbb\xbfrow,")
    assert "sex-missing" in answer.text


def test_a_warning_is_explained_with_a_sentence_and_stays_explained(intake: IntakeDesk) -> None:
    old = csv_file([pupil(1, birth_date="01/01/2550", title="เด็กหญิง")])
    upload = intake.upload(old)
    found = intake.get(f"/api/v1/uploads/{upload['upload']}/findings")["findings"]
    warning = next(f for f in found if f["rule"] == "age-grade")
    assert intake.school()["state"] == "draft"
    said = {"rule": "age-grade", "key": warning["key"], "sentence": "เรียนช้าเพราะย้ายตามผู้ปกครอง"}
    answer = intake.bench.client.post(intake.url("/explanations"), json=said, headers=intake.clerk)
    assert (answer.status_code, answer.get_json()["unexplained"]) == (200, 0)
    assert intake.school()["state"] == "ready"
    intake.upload(csv_file([pupil(1, birth_date="01/01/2550", title="เด็กหญิง"), pupil(2)]))
    assert intake.school()["state"] == "ready"


def test_nothing_is_explained_once_the_round_is_fenced(intake: IntakeDesk) -> None:
    intake.upload(csv_file([pupil(1, birth_date="01/01/2550", title="เด็กหญิง")]))
    intake.bench.deliver(ClosingAnnounced(round=ROUND, closure="c1", revision=1))
    intake.bench.jobs()
    said = {"rule": "age-grade", "key": "", "sentence": "สายเกินไปแล้ว"}
    answer = intake.bench.client.post(intake.url("/explanations"), json=said, headers=intake.clerk)
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/round-closed")


def test_an_unknown_warning_cannot_be_explained(intake: IntakeDesk) -> None:
    intake.upload()
    said = {"rule": "age-grade", "key": "0" * 32, "sentence": "ไม่มีคำเตือนนี้"}
    answer = intake.bench.client.post(intake.url("/explanations"), json=said, headers=intake.clerk)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"\x00\x01\x02\xff\xfe" * 400, "not-a-roster"),
        ("ชื่อ,อื่น\nก,ข\n".encode(), "header-missing"),
        (csv_file(roll(1, 1)).replace("ชั้น".encode(), "เพศ".encode(), 1), "header-doubled"),
        (csv_file(roll(1, 2)) + "ทดสอบ".encode("cp874"), "mixed-encoding"),
    ],
)
def test_a_file_that_is_no_roster_is_rejected_whole_and_the_earlier_version_stands(
    intake: IntakeDesk, content: bytes, code: str
) -> None:
    before = intake.upload()
    after = intake.upload(content)
    assert (after["state"], after["reason"]["code"]) == ("rejected", code)
    assert after["reason"]["th"]
    assert after["reason"]["en"]
    assert intake.school()["sha256"] == before["sha256"]
    assert intake.school()["state"] == "ready"


def test_a_zip_bomb_is_rejected_without_being_inflated(intake: IntakeDesk) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as workbook:
        workbook.writestr("[Content_Types].xml", b"<Types/>")
        workbook.writestr("xl/worksheets/sheet1.xml", b"0" * 200_000_000)
    upload = intake.upload(bomb.getvalue())
    assert (upload["state"], upload["reason"]["code"]) == ("rejected", "zip-bomb")


def test_scientific_notation_and_formulas_are_findings_not_numbers(intake: IntakeDesk) -> None:
    upload = intake.upload(csv_file([pupil(1, national_id="1.1E+12"), pupil(2, national_id='=CONCAT("1")')]))
    found = intake.get(f"/api/v1/uploads/{upload['upload']}/findings")["findings"]
    assert upload["state"] == "accepted"
    assert {(f["rule"], f["row"]) for f in found} >= {
        ("national-id-format", 2),
        ("national-id-format", 3),
    }


def test_windows_874_and_gzip_are_read(intake: IntakeDesk) -> None:
    assert intake.upload(csv_file(roll(1, 2), "cp874"))["state"] == "accepted"
    answer = intake.put(gzip.compress(csv_file(roll(1, 4))), **{"Content-Encoding": "gzip"})
    intake.bench.jobs()
    assert intake.get(answer.get_json()["location"])["pupils"] == 4


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (gzip.compress(b"0" * 17_000_000, mtime=0), "gzip", 413, "too-large"),
        (b"not gzip", "gzip", 400, "not-gzip"),
        (gzip.compress(b"cut short", mtime=0)[:-6], "gzip", 400, "not-gzip"),
        (b"x", "br", 415, "encoding"),
        (b"0" * 17_000_000, "identity", 413, "too-large"),
    ],
)
def test_hostile_bodies_are_refused_before_they_are_kept(
    intake: IntakeDesk, body: bytes, encoding: str, status: int, code: str
) -> None:
    answer = intake.put(body, **{"Content-Encoding": encoding})
    assert (answer.status_code, answer.get_json()["type"]) == (status, f"/problems/{code}")
    assert answer.get_json()["detail_th"]
    assert intake.school()["upload"] is None


def test_a_school_without_pupils_uploads_the_header_and_explains(intake: IntakeDesk) -> None:
    upload = intake.upload(csv_file([]))
    assert (upload["state"], upload["pupils"]) == ("accepted", 0)
    said = {"rule": "no-pupils", "key": "", "sentence": "นักเรียนทุกคนไปเรียนรวมที่โรงเรียนใกล้เคียง"}
    intake.bench.client.post(intake.url("/explanations"), json=said, headers=intake.clerk)
    assert intake.school()["state"] == "ready"


def test_the_same_bytes_twice_are_one_upload(intake: IntakeDesk) -> None:
    first = intake.put(csv_file(roll(1, 3))).get_json()
    again = intake.put(csv_file(roll(1, 3))).get_json()
    assert first["upload"] == again["upload"]
    intake.bench.jobs()
    third = intake.put(csv_file(roll(1, 3))).get_json()
    assert (third["upload"], third["state"]) == (first["upload"], "accepted")
    assert len(intake.bench.published(RosterAccepted)) == 1


def test_other_bytes_of_the_same_roster_change_nothing(intake: IntakeDesk) -> None:
    intake.upload()
    upload = intake.upload(csv_file(list(reversed(roll(1, 3)))))
    assert upload["state"] == "unchanged"
    assert len(intake.bench.published(RosterAccepted)) == 1


def test_bytes_of_an_earlier_version_are_not_taken_back_silently(intake: IntakeDesk) -> None:
    first = intake.upload(csv_file(roll(1, 3)))
    second = intake.upload(csv_file(roll(1, 4)))
    refused = intake.put(csv_file(roll(1, 3)))
    assert (refused.status_code, refused.get_json()["type"]) == (409, "/problems/earlier-version")
    assert intake.school()["sha256"] == second["sha256"]
    meant = intake.put(csv_file(roll(1, 3)), **{"If-Match": f'"{second["sha256"]}"'})
    assert meant.status_code == 202
    intake.bench.jobs()
    assert intake.school()["sha256"] == first["sha256"]


def test_of_two_waiting_uploads_the_later_wins(intake: IntakeDesk) -> None:
    first = intake.put(csv_file(roll(1, 3))).get_json()
    intake.bench.set_time("2021-10-20T09:00:01+07:00")
    second = intake.put(csv_file(roll(1, 4))).get_json()
    intake.bench.jobs()
    assert intake.get(second["location"])["state"] == "accepted"
    assert intake.get(first["location"])["state"] in ("accepted", "superseded")
    assert intake.school()["pupils"] == 4


def test_one_pupil_is_edited_and_removed_by_key(intake: IntakeDesk) -> None:
    upload = intake.upload(csv_file([pupil(1), pupil(2, sex="")]))
    (finding,) = intake.get(f"/api/v1/uploads/{upload['upload']}/findings")["findings"]
    path = intake.url(f"/roster/students/{finding['key']}")
    assert intake.get(path)["values"]["first_name_th"] == "สมมติ2"
    tag = {**intake.clerk, "If-Match": f'"{upload["sha256"]}"'}
    answer = intake.bench.client.patch(path, json={"sex": "ชาย"}, headers=tag)
    assert answer.status_code == 202
    intake.bench.jobs()
    assert intake.school()["state"] == "ready"
    stale = intake.bench.client.patch(path, json={"sex": "ช"}, headers=tag)
    assert (stale.status_code, stale.get_json()["type"]) == (412, "/problems/stale-version")
    tag["If-Match"] = f'"{intake.school()["sha256"]}"'
    assert intake.bench.client.delete(path, headers=tag).status_code == 202
    intake.bench.jobs()
    assert intake.school()["pupils"] == 1


@pytest.mark.parametrize(
    "values", [{}, {"school_code": "66020009"}, {"national_idd": "1"}, {"sex": "x" * 201}]
)
def test_an_edit_of_nothing_or_of_what_is_no_field_is_refused(
    intake: IntakeDesk, values: dict[str, str]
) -> None:
    upload = intake.upload(csv_file([pupil(1), pupil(2, sex="")]))
    (finding,) = intake.get(f"/api/v1/uploads/{upload['upload']}/findings")["findings"]
    answer = intake.bench.client.patch(
        intake.url(f"/roster/students/{finding['key']}"),
        json=values,
        headers={**intake.clerk, "If-Match": f'"{upload["sha256"]}"'},
    )
    assert answer.status_code == 422
    assert intake.school()["sha256"] == upload["sha256"]


def people(intake: IntakeDesk) -> dict[str, dict[str, str]]:
    keys = intake.bench.keys
    return {
        "nobody": {},
        "expired": {"Authorization": f"Bearer {token(keys, 'clerk', ('clerk', OTHER), lifetime=-60)}"},
        "tampered": {"Authorization": intake.clerk["Authorization"][:-4] + "AAAA"},
        "other": bearer(keys, "other", ("clerk", OTHER)),
        "far": bearer(keys, "far", ("area", "6301")),
    }


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        ("nobody", 401, "token-missing"),
        ("expired", 401, "token-expired"),
        ("tampered", 401, "token-invalid"),
        ("other", 404, "not-found"),
        ("far", 404, "not-found"),
    ],
)
def test_who_may_not_know_of_a_school_finds_nothing(
    intake: IntakeDesk, who: str, status: int, code: str
) -> None:
    upload = intake.upload()
    headers = people(intake)[who]
    client = intake.bench.client
    answers: list[Any] = [
        client.get(intake.url(), headers=headers),
        client.get(intake.url("/roster"), headers=headers),
        client.put(intake.url("/roster"), data=b"x", headers=headers),
        client.get(f"/api/v1/uploads/{upload['upload']}", headers=headers),
        client.get(f"/api/v1/uploads/{upload['upload']}/findings", headers=headers),
        client.post(intake.url("/confirmation"), headers={**headers, "If-Match": '"x"'}),
    ]
    assert {(a.status_code, a.get_json()["type"]) for a in answers} == {(status, f"/problems/{code}")}


def test_the_area_sees_progress_but_no_pupil(intake: IntakeDesk) -> None:
    upload = intake.upload()
    listed = intake.get("/api/v1/rounds/2564-2/schools?esa=6602", intake.area)
    assert [s["state"] for s in listed["schools"]] == ["ready", "empty"]
    assert listed["summary"]["by_state"] == {"ready": 1, "empty": 1}
    client = intake.bench.client
    assert client.get(intake.url("/roster"), headers=intake.area).status_code == 404
    assert client.get(f"/api/v1/uploads/{upload['upload']}/findings", headers=intake.area).status_code == 404
    assert client.get("/api/v1/rounds/2564-2/schools?esa=6301", headers=intake.area).status_code == 404
    assert client.get("/api/v1/rounds/2564-2/schools", headers=intake.clerk).status_code == 404
