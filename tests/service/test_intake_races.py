"""What overtakes what: edits and files under way at once, and a school that moves to another area."""

from __future__ import annotations

import threading
from typing import Any

import sqlalchemy as sa

from services.contracts.snapshot import RoundOpened
from services.intake.checking import check_uploads
from services.intake.events import on_round_opened
from services.intake.tables import upload, uploads
from tests.support.intake_desk import AREA_DAY, CONFIRM_DAY, ESA, OTHER, REGISTER, SCHOOL, IntakeDesk
from tests.support.plans import look_up_row_by_row
from tests.support.rosters import csv_file, plan, pupil, roll
from tests.support.tokens import bearer


def keys_of(desk: IntakeDesk) -> list[str]:
    """The keys of two pupils, by a warning on each."""
    sent = desk.upload(csv_file([pupil(n, birth_date="01/01/2550") for n in (1, 3)]))
    found = desk.get(f"/api/v1/uploads/{sent['upload']}/findings")["findings"]
    return list(dict.fromkeys(f["key"] for f in found if f["rule"] == "age-grade"))


def edit(desk: IntakeDesk, key: str, version: str, **values: str) -> Any:
    return desk.bench.client.patch(
        desk.url(f"/roster/students/{key}"), headers={**desk.clerk, "If-Match": f'"{version}"'}, json=values
    )


def test_an_edit_is_not_lost_to_another_one_of_the_same_version(intake: IntakeDesk) -> None:
    first, second = keys_of(intake)
    version = intake.school()["sha256"]
    one = edit(intake, first, version, birth_date="2014-02-02")
    assert one.status_code == 202
    other = edit(intake, second, version, birth_date="2014-03-03")
    assert (other.status_code, other.get_json()["type"]) == (409, "/problems/upload-in-progress")
    assert other.get_json()["upload"] == one.get_json()["location"]
    assert (
        edit(intake, first, version, birth_date="2014-02-02").get_json()["upload"] == one.get_json()["upload"]
    )
    intake.bench.jobs()
    assert edit(intake, second, version, birth_date="2014-03-03").status_code == 412
    assert edit(intake, second, intake.school()["sha256"], birth_date="2014-03-03").status_code == 202
    intake.bench.jobs()
    assert intake.bench.client.get(intake.url("/roster"), headers=intake.clerk).text.count("2014-0") == 2


def test_a_pupil_is_not_removed_from_under_a_file_that_is_being_checked(intake: IntakeDesk) -> None:
    first, _ = keys_of(intake)
    version = intake.school()["sha256"]
    intake.put(csv_file(roll(1, 5)))
    answer = intake.bench.client.delete(
        intake.url(f"/roster/students/{first}"), headers={**intake.clerk, "If-Match": f'"{version}"'}
    )
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/upload-in-progress")
    intake.bench.jobs()
    assert intake.school()["pupils"] == 5


def test_of_two_waiting_files_the_later_wins_also_when_it_changes_nothing(intake: IntakeDesk) -> None:
    before = intake.upload(csv_file(roll(1, 3)))
    overtaken = intake.put(csv_file(roll(1, 4))).get_json()["upload"]
    same = intake.put(csv_file(list(reversed(roll(1, 3))))).get_json()["upload"]
    hold(intake, overtaken, attempts=1)
    check_uploads(intake.bench.runtime)
    hold(intake, overtaken, attempts=0)
    check_uploads(intake.bench.runtime)
    states = [intake.get(f"/api/v1/uploads/{one}")["state"] for one in (overtaken, same)]
    assert states == ["superseded", "unchanged"]
    assert intake.school()["sha256"] == before["sha256"]


def hold(desk: IntakeDesk, upload_id: str, *, attempts: int) -> None:
    """Put an upload into the hands of a checker that is slow (attempts 1), or take it back (0)."""
    lease = sa.text("clock_timestamp() + interval '1 hour'")
    with desk.bench.database.transaction() as tx:
        tx.execute(
            sa.update(upload).where(upload.c.id == upload_id).values(attempts=attempts, lease_until=lease)
        )


def test_a_school_that_moved_to_another_area_takes_its_submission_along(intake: IntakeDesk) -> None:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    moved = REGISTER.replace(f"{ESA}\tสพป.พิจิตร เขต 2\t66020001", "6601\tสพป.พิจิตร เขต 1\t66020001")
    answer = intake.bench.client.put("/api/v1/register", data=moved.encode(), headers=intake.hq)
    assert answer.status_code == 200
    assert intake.confirm().status_code == 200
    new = bearer(intake.bench.keys, "area-6601", ("area", "6601"))
    listed = "/api/v1/rounds/2564-2/schools"
    assert [s["school"] for s in intake.get(listed, new)["schools"]] == [SCHOOL]
    assert [s["school"] for s in intake.get(listed, intake.area)["schools"]] == [OTHER]


def test_an_undo_sent_twice_is_one_and_answers_the_same(intake: IntakeDesk) -> None:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    intake.confirm()
    answers = [
        intake.bench.client.delete(intake.url("/confirmation"), headers=intake.clerk).get_json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["submission"]["state"] == "ready"
    assert [act["act"] for act in intake.school()["acts"]] == ["confirm", "undo"]


def test_a_cancellation_sent_twice_is_one_and_another_reason_is_another(intake: IntakeDesk) -> None:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    intake.confirm()
    intake.bench.set_time(AREA_DAY)
    one, two = [intake.act("/cancellation", intake.area, reason="ข้อมูลไม่ครบ").get_json() for _ in range(2)]
    assert one == two
    assert one["submission"]["state"] == "ready"
    assert intake.act("/cancellation", intake.area, reason="ขอให้ตรวจใหม่").status_code == 409
    said = [("ขอให้ตรวจใหม่", False), ("ขอให้ตรวจใหม่", True), ("ขอให้ตรวจใหม่", True)]
    for reason, lock in said:
        assert intake.act("/cancellation", intake.hq, reason=reason, lock=lock).status_code == 200
    assert [act["by"] for act in intake.school()["acts"]].count(intake.school()["acts"][-1]["by"]) == 2
    assert intake.school()["locked"]


def test_an_undo_is_not_taken_for_one_of_an_earlier_version(intake: IntakeDesk) -> None:
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    intake.confirm()
    intake.bench.client.delete(intake.url("/confirmation"), headers=intake.clerk)
    intake.upload(csv_file(roll(1, 6)))
    again = intake.bench.client.delete(intake.url("/confirmation"), headers=intake.clerk)
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/not-confirmed")


def test_a_school_registered_while_a_round_opens_takes_part_in_it(intake: IntakeDesk) -> None:
    new = "1066350999"
    more = REGISTER + f"พิจิตร\t6601\tสพป.พิจิตร เขต 1\t66010001\t{new}\tโรงเรียนใหม่\tอนุบาล-ประถมศึกษา\n"
    imported = threading.Thread(
        target=lambda: intake.bench.app.test_client().put(
            "/api/v1/register", data=more.encode(), headers=intake.hq
        )
    )
    opened = RoundOpened(round="2564-1", revision=1, plan=plan("2564-1").to_plain())
    with intake.bench.database.transaction() as tx:
        on_round_opened(opened, tx)
        imported.start()
        imported.join(timeout=2)
    imported.join()
    listed = intake.get("/api/v1/rounds/2564-1/schools", intake.hq)
    assert new in [school["school"] for school in listed["schools"]]


def test_what_is_checked_at_once_is_bounded_in_bytes_too(intake: IntakeDesk) -> None:
    size = uploads.BATCH_BYTES // 2
    for school in (SCHOOL, OTHER):
        for number in range(2):
            who = bearer(intake.bench.keys, "clerk", ("clerk", school))
            intake.put(bytes([number]) * (size - 1), school=school, who=who)
    with intake.bench.database.transaction() as tx:
        look_up_row_by_row(tx)
        first = uploads.claim(tx, 50)
        second = uploads.claim(tx, 50)
        assert (len(first), len(second), len(uploads.claim(tx, 50))) == (2, 2, 0)
    assert {row.id for row in first}.isdisjoint(row.id for row in second)


def test_a_file_that_waited_unpacked_is_checked_like_any_other(intake: IntakeDesk) -> None:
    waiting = intake.put(csv_file(roll(1, 3))).get_json()["upload"]
    with intake.bench.database.transaction() as tx:
        as_it_came = {"content": csv_file(roll(1, 3)), "size": None}
        tx.execute(sa.update(upload).where(upload.c.id == waiting).values(**as_it_came))
    check_uploads(intake.bench.runtime)
    assert intake.get(f"/api/v1/uploads/{waiting}")["state"] == "accepted"


def test_a_file_larger_than_a_batch_may_be_is_checked_alone() -> None:
    assert uploads.batch([uploads.BATCH_BYTES * 2, 1, 1]) == 1
    assert uploads.batch([1, uploads.BATCH_BYTES, 1]) == 1
    assert uploads.batch([1, 1, 1]) == 3
