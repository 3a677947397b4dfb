"""The acts of the round: confirm, undo, certify, acknowledge, cancel; by whom, when, on which version, and once."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from services.contracts.dedup import CaseChanged, CaseParty, RosterScreened
from services.contracts.intake import SubmissionsChanged
from services.contracts.signed import verify
from services.contracts.snapshot import RoundOpened
from tests.support.intake_desk import AREA_DAY, CONFIRM_DAY, ESA, OTHER, SCHOOL, IntakeDesk
from tests.support.rosters import ROUND, csv_file, plan, pupil, roll
from tests.support.tokens import bearer


@pytest.fixture
def desk(intake: IntakeDesk) -> IntakeDesk:
    """A school with a ready roster, on the day of confirming."""
    intake.upload()
    intake.bench.set_time(CONFIRM_DAY)
    return intake


def problem(answer: Any) -> tuple[int, str]:
    body = answer.get_json()
    assert body["detail_th"]
    assert body["detail_en"]
    return answer.status_code, body["type"].removeprefix("/problems/")


def test_a_roster_is_confirmed_certified_and_acknowledged_with_receipts(desk: IntakeDesk) -> None:
    assert desk.confirm().get_json()["submission"]["state"] == "confirmed"
    assert desk.certify().get_json()["submission"]["state"] == "certified"
    desk.bench.set_time(AREA_DAY)
    answer = desk.act("/acknowledgement", desk.area).get_json()
    assert answer["submission"]["state"] == "acknowledged"
    receipts = desk.get(desk.url("/receipts"))["receipts"]
    payloads = [verify(receipt, desk.bench.keys.jwks) for receipt in receipts]
    assert [p["act"] for p in payloads] == ["confirm", "certify", "acknowledge"]
    assert {p["sha256"] for p in payloads} == {desk.school()["sha256"]}
    assert payloads[0]["arrived"] == CONFIRM_DAY
    told = desk.bench.published(SubmissionsChanged)
    revisions = [one["revision"] for event in told for one in event["submissions"]]
    assert revisions == sorted(set(revisions))


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2021-11-10T08:29:59+07:00", False),
        ("2021-11-10T08:30:00+07:00", True),
        ("2021-11-10T16:29:59+07:00", True),
        ("2021-11-10T16:30:00+07:00", False),
        ("2021-11-09T12:00:00+07:00", False),
    ],
)
def test_confirming_is_for_one_day_and_its_hours(desk: IntakeDesk, at: str, open_: bool) -> None:
    desk.bench.set_time(at)
    answer = desk.confirm()
    assert answer.status_code == (200 if open_ else 409)
    if not open_:
        assert problem(answer) == (409, "outside-window")
        assert "08.30 น." in answer.get_json()["detail_th"]
        assert desk.school()["state"] == "ready"


def test_a_request_counts_as_arrived_when_the_edge_stamped_it(desk: IntakeDesk) -> None:
    import time

    desk.bench.set_time("2021-11-10T16:30:05+07:00")
    tag = desk.school()["sha256"]
    stamp = str(int((time.time() - 10) * 1000))
    headers = {**desk.clerk, "If-Match": f'"{tag}"', "X-Tabian-Received": stamp}
    assert desk.bench.client.post(desk.url("/confirmation"), headers=headers).status_code == 200


def test_a_stamp_is_worth_a_minute_at_most(desk: IntakeDesk) -> None:
    desk.bench.set_time("2021-11-10T16:32:00+07:00")
    headers = {**desk.clerk, "If-Match": f'"{desk.school()["sha256"]}"', "X-Tabian-Received": "1"}
    assert problem(desk.bench.client.post(desk.url("/confirmation"), headers=headers)) == (
        409,
        "outside-window",
    )


def test_an_extended_school_confirms_later_and_others_do_not(desk: IntakeDesk) -> None:
    until = {"activity": "confirm", "school": SCHOOL, "until": "2021-11-11T12:00:00+07:00"}
    desk.bench.deliver(RoundOpened(round=ROUND, revision=2, plan=plan().to_plain(), extensions=(until,)))
    desk.bench.deliver(RoundOpened(round=ROUND, revision=1, plan=plan().to_plain()))
    desk.bench.set_time("2021-11-11T11:00:00+07:00")
    assert desk.confirm().status_code == 200
    assert (
        desk.put(
            csv_file(roll(1, 2)), school=OTHER, who=bearer(desk.bench.keys, "o", ("clerk", OTHER))
        ).status_code
        == 409
    )


def test_a_stale_hash_is_412_and_none_is_428(desk: IntakeDesk) -> None:
    assert problem(desk.act("/confirmation", desk.clerk, sha256="0" * 64)) == (412, "stale-version")
    answer = desk.bench.client.post(desk.url("/confirmation"), headers=desk.clerk)
    assert problem(answer) == (428, "if-match-missing")
    assert desk.school()["state"] == "ready"


def test_confirming_waits_for_an_upload_under_way(desk: IntakeDesk) -> None:
    waiting = desk.put(csv_file(roll(1, 5))).get_json()
    answer = desk.confirm()
    assert problem(answer) == (409, "upload-in-progress")
    assert answer.get_json()["upload"] == waiting["location"]
    desk.bench.jobs()
    assert desk.confirm().status_code == 200


def test_the_same_act_twice_has_the_same_answer_and_one_effect(desk: IntakeDesk) -> None:
    first, second = desk.confirm(), desk.confirm()
    assert first.get_json() == second.get_json()
    assert len(desk.get(desk.url("/receipts"))["receipts"]) == 1
    another = bearer(desk.bench.keys, "second-clerk", ("clerk", SCHOOL))
    assert problem(desk.confirm(another)) == (409, "already-confirmed")


def test_a_confirmed_roster_is_not_overwritten_but_can_be_undone(desk: IntakeDesk) -> None:
    desk.confirm()
    assert problem(desk.put(csv_file(roll(1, 9)))) == (409, "undo-first")
    undone = desk.bench.client.delete(desk.url("/confirmation"), headers=desk.clerk)
    assert undone.get_json()["submission"]["state"] == "ready"
    assert desk.put(csv_file(roll(1, 9))).status_code == 202
    desk.bench.jobs()
    assert desk.confirm().get_json()["submission"]["pupils"] == 9


def test_a_certified_roster_is_not_undone_by_the_clerk(desk: IntakeDesk) -> None:
    desk.confirm()
    desk.certify()
    answer = desk.bench.client.delete(desk.url("/confirmation"), headers=desk.clerk)
    assert problem(answer) == (409, "not-confirmed")


def test_certifying_takes_a_second_person_freshly_signed_in(desk: IntakeDesk) -> None:
    both = bearer(desk.bench.keys, "both", ("clerk", SCHOOL), ("director", SCHOOL), stepped_up=True)
    assert desk.confirm(both).status_code == 200
    assert problem(desk.certify(both)) == (403, "same-person")
    assert problem(desk.certify(desk.clerk)) == (403, "role-required")
    tired = bearer(desk.bench.keys, "director", ("director", SCHOOL))
    assert problem(desk.certify(tired)) == (403, "step-up-required")
    assert desk.certify().status_code == 200


def test_nothing_is_certified_before_it_is_confirmed(desk: IntakeDesk) -> None:
    assert problem(desk.certify()) == (409, "not-confirmed")


@pytest.mark.parametrize("who", ["director", "area", "hq"])
def test_only_the_clerk_confirms(desk: IntakeDesk, who: str) -> None:
    assert problem(desk.confirm(getattr(desk, who))) == (403, "role-required")


def test_the_area_cancels_with_a_reason_in_its_days_and_headquarters_locks(desk: IntakeDesk) -> None:
    desk.confirm()
    desk.certify()
    assert problem(desk.act("/cancellation", desk.area, reason="x")) == (422, "invalid-body")
    assert problem(desk.act("/cancellation", desk.area, reason="ขอให้ตรวจใหม่", lock=True)) == (
        403,
        "role-required",
    )
    assert (
        desk.act("/cancellation", desk.area, reason="ขอให้ตรวจใหม่").get_json()["submission"]["state"]
        == "ready"
    )
    assert desk.act("/cancellation", desk.hq, reason="ระงับไว้ก่อนตรวจสอบ", lock=True).status_code == 200
    answer = desk.confirm()
    assert problem(answer) == (409, "blocked")
    assert answer.get_json()["blocks"][0]["code"] == "locked"
    desk.act("/cancellation", desk.hq, reason="ตรวจสอบแล้ว ปลดล็อก", lock=False)
    assert desk.confirm().status_code == 200


def case(revision: int, state: str = "open", answer: str = "none", sha256: str = "") -> CaseChanged:
    parties = tuple(
        CaseParty(
            school=s,
            name=s,
            esa=ESA,
            sha256=sha256,
            line=1,
            answer=answer if s == SCHOOL else "none",
            sentence="",
        )
        for s in (SCHOOL, OTHER)
    )
    return CaseChanged(
        round=ROUND,
        case="c1",
        school=SCHOOL,
        revision=revision,
        state=state,
        decision="",
        parties=parties,
        opened_at="",
    )


def test_a_known_unanswered_duplicate_blocks_confirming_until_answered(desk: IntakeDesk) -> None:
    sha = desk.school()["sha256"]
    desk.bench.deliver(case(1, sha256=sha))
    school = desk.school()
    assert [b["code"] for b in school["blocks"]] == ["duplicates-unanswered"]
    assert school["cases"][0]["pupil"]["first_name_th"].startswith("สมมติ")
    assert desk.school(desk.area)["cases"][0]["pupil"] is None
    assert problem(desk.confirm()) == (409, "blocked")
    desk.bench.deliver(case(2, answer="ours", sha256=sha))
    desk.bench.deliver(case(1, sha256=sha))
    assert desk.confirm().status_code == 200


def test_removing_the_pupil_unblocks_before_dedup_has_seen_it(desk: IntakeDesk) -> None:
    desk.bench.deliver(case(1, sha256=desk.school()["sha256"]))
    key = desk.school()["cases"][0]["key"]
    tag = {**desk.clerk, "If-Match": f'"{desk.school()["sha256"]}"'}
    desk.bench.client.delete(desk.url(f"/roster/students/{key}"), headers=tag)
    desk.bench.jobs()
    assert desk.confirm().status_code == 200


def test_a_case_that_opens_after_confirming_changes_no_state(desk: IntakeDesk) -> None:
    desk.confirm()
    desk.bench.deliver(case(1, sha256=desk.school()["sha256"]))
    assert desk.school()["state"] == "confirmed"
    assert desk.certify().status_code == 200
    desk.bench.set_time(AREA_DAY)
    assert desk.act("/acknowledgement", desk.area).status_code == 200


def test_confirming_does_not_wait_for_screening_and_the_receipt_says_so(desk: IntakeDesk) -> None:
    before = verify(desk.confirm().get_json()["receipt"], desk.bench.keys.jwks)
    assert before["screening"] is None
    desk.bench.client.delete(desk.url("/confirmation"), headers=desk.clerk)
    sha = desk.school()["sha256"]
    told = {
        "round": ROUND,
        "school": SCHOOL,
        "revision": 1,
        "compared_with": 7,
        "at": "2021-11-10T09:00:00+07:00",
    }
    desk.bench.deliver(RosterScreened(sha256="0" * 64, **told))
    desk.bench.deliver(RosterScreened(sha256=sha, **told))
    after = verify(desk.confirm().get_json()["receipt"], desk.bench.keys.jwks)
    assert after["screening"] == {"compared_with": 7, "at": "2021-11-10T09:00:00+07:00"}


def test_every_order_of_case_events_with_repeats_ends_in_one_state(desk: IntakeDesk) -> None:
    sha = desk.school()["sha256"]
    events = [case(1, sha256=sha), case(2, answer="ours", sha256=sha), case(3, "cleared", sha256=sha)]
    ends = set()
    for number, order in enumerate(itertools.permutations([*events, events[0]])):
        for event in order:
            named = CaseChanged(
                **{f: getattr(event, f) for f in event.__slots__} | {"case": f"case-{number}"}
            )
            desk.bench.deliver(named)
        shown = next(c for c in desk.school()["cases"] if c["case"] == f"case-{number}")
        ends.add((shown["state"], shown["answer"]))
    assert ends == {("cleared", "none")}


def test_confirm_and_upload_at_the_same_moment_exclude_each_other(desk: IntakeDesk) -> None:
    """Whichever comes first, a confirmed roster is the one that was named and never one that came in beside it."""
    tag, answers = desk.school()["sha256"], []
    start = threading.Barrier(2)

    def run(call: Any) -> None:
        start.wait()
        answers.append(call().status_code)

    client = desk.bench.app.test_client
    confirm = lambda: client().post(desk.url("/confirmation"), headers={**desk.clerk, "If-Match": f'"{tag}"'})  # noqa: E731
    upload = lambda: client().put(desk.url("/roster"), data=csv_file([pupil(77)]), headers=desk.clerk)  # noqa: E731
    threads = [threading.Thread(target=run, args=(call,)) for call in (confirm, upload)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.bench.jobs()
    school = desk.school()
    assert sorted(answers) in ([200, 409], [202, 409])
    assert (school["state"], school["sha256"] == tag) in [("confirmed", True), ("ready", False)]
