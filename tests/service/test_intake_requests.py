"""What a request may carry: characters that no text in the database can hold, and bodies that do not say how long they
are, are refused where they come in and change nothing."""

from __future__ import annotations

import io
import json

import pytest

from services.intake.api.rosters import ROSTER_BYTES
from tests.support.intake_desk import CONFIRM_DAY, IntakeDesk
from tests.support.rosters import csv_file, roll

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
UNSTORABLE = ["\x00", "\ud800"]


@pytest.mark.parametrize("mark", UNSTORABLE)
@pytest.mark.parametrize(
    ("tail", "body"),
    [
        ("/cancellation", {"reason": "ยกเลิกเพราะข้อมูลผิด{}"}),
        ("/explanations", {"rule": "age-grade", "key": "", "sentence": "อธิบายว่า{}ถูกแล้ว"}),
        ("/certification", {"statement": "ข้าพเจ้าขอรับรองว่านักเรียนมีตัวตน{}"}),
    ],
)
def test_a_body_with_an_unstorable_character_is_refused(
    intake: IntakeDesk, tail: str, body: dict[str, str], mark: str
) -> None:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    intake.confirm()
    before = intake.school()
    who = {"/cancellation": intake.hq, "/certification": intake.director}.get(tail, intake.clerk)
    answer = intake.bench.client.post(
        intake.url(tail),
        headers={**who, "If-Match": f'"{before["sha256"]}"'},
        data=json.dumps({name: text.format(mark) for name, text in body.items()}),
    )
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/invalid-body")
    assert answer.get_json()["detail_th"]
    assert answer.get_json()["detail_en"]
    assert intake.school() == before


@pytest.mark.parametrize("mark", UNSTORABLE)
def test_a_pupil_is_not_edited_to_hold_one(intake: IntakeDesk, mark: str) -> None:
    upload = intake.upload()
    answer = intake.bench.client.patch(
        intake.url("/roster/students/" + "0" * 32),
        headers={**intake.clerk, "If-Match": f'"{upload["sha256"]}"'},
        data=json.dumps({"first_name_th": f"สม{mark}มติ"}),
    )
    assert answer.status_code == 422
    assert intake.school()["sha256"] == upload["sha256"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/rounds/%00/schools",
        "/api/v1/rounds/2564-2/schools/%00",
        "/api/v1/rounds/2564-2/schools/106635%000177/roster",
        "/api/v1/uploads/%00",
    ],
)
def test_there_is_nothing_at_an_address_with_one(intake: IntakeDesk, path: str) -> None:
    assert intake.bench.client.get(path, headers=intake.hq).status_code == 404


@pytest.mark.parametrize(("query", "status"), [("cursor=%00", 422), ("esa=%00", 404), ("esa=66%0002", 404)])
def test_a_query_with_one_is_refused(intake: IntakeDesk, query: str, status: int) -> None:
    answer = intake.bench.client.get(f"/api/v1/rounds/2564-2/schools?{query}", headers=intake.hq)
    assert answer.status_code == status


def test_a_file_s_name_loses_them(intake: IntakeDesk) -> None:
    answer = intake.put(csv_file(roll(1, 2)), **{"X-Filename": "ro%00ll%ED%A0%80%0A.csv"})
    assert answer.status_code == 202
    intake.bench.jobs()
    upload = intake.get(answer.get_json()["location"])
    assert upload["state"] == "accepted"
    assert upload["filename"].startswith("roll")
    assert upload["filename"].isprintable()


@pytest.mark.parametrize("address", ["roster", "register"])
def test_a_body_of_unstated_length_is_refused_not_cut_off(intake: IntakeDesk, address: str) -> None:
    before = intake.upload()
    path, who = (
        (intake.url("/roster"), intake.clerk) if address == "roster" else ("/api/v1/register", intake.hq)
    )
    file = csv_file(roll(1, 2))
    padded = file + b"\n" * (ROSTER_BYTES + 1 - len(file))
    answer = intake.bench.client.put(
        path, headers=who, input_stream=io.BytesIO(padded), environ_overrides=CHUNKED
    )
    assert (answer.status_code, answer.get_json()["type"]) == (413, "/problems/too-large")
    intake.bench.jobs()
    assert intake.school()["sha256"] == before["sha256"]


def test_a_body_of_unstated_length_is_taken_whole(intake: IntakeDesk) -> None:
    answer = intake.bench.client.put(
        intake.url("/roster"),
        headers=intake.clerk,
        input_stream=io.BytesIO(csv_file(roll(1, 4))),
        environ_overrides=CHUNKED,
    )
    assert answer.status_code == 202
    intake.bench.jobs()
    assert intake.school()["pupils"] == 4


@pytest.mark.parametrize("text", ["ข้าพเจ้าไม่ขอรับรองนักเรียนตามทะเบียนฉบับนี้", "x" * 2000, ""])
def test_a_director_certifies_the_statement_and_no_other(intake: IntakeDesk, text: str) -> None:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    intake.confirm()
    answer = intake.act("/certification", intake.director, statement=text)
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/invalid-body")
    assert intake.school()["state"] == "confirmed"
    english = intake.school()["statement"]["en"]
    assert intake.act("/certification", intake.director, statement=english).status_code == 200
