"""A school's answer and the area's decision: who, when, on which case, and what hostile requests get."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from services.contracts.dedup import CaseChanged
from services.contracts.snapshot import ClosingAborted, RoundSealed
from services.dedup.app import SERVICE
from services.dedup.tables import answer, ruling
from tests.support.bench import Bench
from tests.support.duplicates import (
    AREA_GRANT,
    EVIDENCE,
    FAR,
    HQ_GRANT,
    NEXT_GRANT,
    ROUND,
    A,
    B,
    C,
    Desk,
    closing,
    count,
    entry,
    opened,
    refused,
)


@pytest.fixture
def desk(bench: Callable[..., Bench]) -> Desk:
    made = Desk(bench(SERVICE))
    made.roll(A, ["dao", "fah"], 1)
    made.roll(B, ["fah"], 1)
    return made


@pytest.fixture
def case(desk: Desk) -> str:
    return str(desk.only_case()["case"])


@pytest.fixture
def across(desk: Desk) -> str:
    """A case between A and FAR, of another area."""
    desk.roll(FAR, ["dao"], 1)
    return str(desk.cases(school=FAR)[0]["case"])


def test_a_school_says_that_the_child_is_its_own(desk: Desk, case: str) -> None:
    before = desk.only_case()["revision"]
    shown = desk.answer(case, A, sentence="  เด็ก\nมาเรียน  ทุกวัน ").json
    assert [(p["school"], p["answer"], p["sentence"]) for p in shown["parties"]] == [
        (A, "ours", "เด็ก มาเรียน ทุกวัน"),
        (B, "none", ""),
    ]
    assert (shown["state"], shown["revision"] > before) == ("open", True)
    for event in desk.bench.published(CaseChanged)[-2:]:
        assert event["revision"] == shown["revision"]
        assert event["parties"][0]["answer"] == "ours"
    assert desk.answer(case, B, ("director", B)).json["parties"][1]["answer"] == "ours"


def test_the_same_answer_twice_is_one(desk: Desk, case: str) -> None:
    first, second = desk.answer(case, A).json, desk.answer(case, A).json
    assert first == second
    assert desk.answer(case, A, sentence="แม่มารับทุกเย็น").json["revision"] > first["revision"]
    assert count(desk, answer) == 1


def test_an_answer_survives_a_new_version_of_the_roll(desk: Desk, case: str) -> None:
    desk.answer(case, A)
    desk.roll(A, ["nok", "dao", "fah"], 2)
    party = desk.only_case()["parties"][0]
    assert (party["answer"], party["line"]) == ("ours", 3)


@pytest.mark.parametrize(
    ("grants", "school", "status", "code"),
    [
        ((("clerk", B),), A, 403, "not-your-school"),
        ((AREA_GRANT,), A, 403, "not-your-school"),
        ((HQ_GRANT,), A, 403, "not-your-school"),
        ((("clerk", A),), C, 422, "not-a-party"),
        ((("clerk", C),), C, 404, "not-found"),
        ((("director", FAR),), A, 404, "not-found"),
        ((NEXT_GRANT,), A, 404, "not-found"),
        ((("ops", "*"),), A, 404, "not-found"),
        ((("partner", "*"),), A, 404, "not-found"),
        ((("clerk", "*"),), A, 404, "not-found"),
    ],
)
def test_who_may_not_answer(
    desk: Desk, case: str, grants: tuple[tuple[str, str], ...], school: str, status: int, code: str
) -> None:
    refused(desk.answer(case, school, *grants), status, code)
    assert count(desk, answer) == 0


def test_the_area_decides_between_its_schools(desk: Desk, case: str) -> None:
    shown = desk.decide(case, A).json
    assert (shown["state"], shown["decision"]) == ("decided", A)
    for event in desk.bench.published(CaseChanged)[-2:]:
        assert (event["state"], event["decision"]) == ("decided", A)
    assert desk.decide(case, A).json == shown
    assert count(desk, ruling) == 1
    corrected = desk.decide(case, "neither").json
    assert (corrected["decision"], corrected["revision"] > shown["revision"]) == ("neither", True)
    refused(desk.answer(case, B), 409, "case-decided")


@pytest.mark.parametrize(
    ("grant", "belongs_to", "status", "code"),
    [
        (AREA_GRANT, FAR, 200, ""),
        (AREA_GRANT, A, 403, "not-yours-to-decide"),
        (AREA_GRANT, "neither", 403, "not-yours-to-decide"),
        (NEXT_GRANT, A, 200, ""),
        (NEXT_GRANT, FAR, 403, "not-yours-to-decide"),
        (HQ_GRANT, "neither", 200, ""),
        (HQ_GRANT, FAR, 200, ""),
        (HQ_GRANT, B, 422, "not-a-party"),
        (AREA_GRANT, B, 422, "not-a-party"),
        (("clerk", A), A, 403, "area-decides"),
        (("clerk", B), A, 404, "not-found"),
        (("ops", "*"), A, 404, "not-found"),
    ],
)
def test_who_decides_between_areas(
    desk: Desk, across: str, grant: tuple[str, str], belongs_to: str, status: int, code: str
) -> None:
    response = desk.decide(across, belongs_to, grant)
    if status == 200:
        assert (response.status_code, response.json["decision"]) == (200, belongs_to)
    else:
        refused(response, status, code)
        assert count(desk, ruling) == 0


def test_an_area_cannot_give_away_a_third_areas_pupil(desk: Desk) -> None:
    for school in (C, FAR):
        desk.roll(school, ["mok"], 1)
    desk.roll(A, ["mok"], 2)
    case = desk.cases(school=FAR)[0]["case"]
    refused(
        desk.decide(case, A, NEXT_GRANT, reason="ของบ้าน A"), 403, "not-yours-to-decide"
    ) if False else None
    assert desk.decide(case, FAR, AREA_GRANT).json["decision"] == FAR
    assert desk.decide(case, A, NEXT_GRANT).status_code == 403, "C would lose by it, and is not of that area"


def test_what_headquarters_decided_only_it_changes(desk: Desk, case: str) -> None:
    desk.decide(case, A, HQ_GRANT)
    refused(desk.decide(case, B), 403, "decided-by-headquarters")
    assert desk.decide(case, B, HQ_GRANT).json["decision"] == B


def test_a_decision_stands_among_the_same_schools_and_falls_when_one_joins(desk: Desk, case: str) -> None:
    desk.decide(case, A)
    desk.roll(A, ["fah"], 2)
    assert desk.only_case()["decision"] == A
    desk.roll(C, ["fah"], 1)
    joined = desk.only_case()
    assert (joined["state"], joined["decision"]) == ("open", "")
    desk.roll(C, [], 2)
    assert desk.only_case()["decision"] == A, "as it was before"
    desk.roll(B, [], 2)
    assert desk.only_case()["state"] == "cleared"
    refused(desk.decide(case, A), 409, "case-cleared")
    refused(desk.answer(case, A), 409, "case-cleared")


def test_a_decision_falls_when_its_winner_leaves_the_others_behind(desk: Desk, case: str) -> None:
    desk.roll(C, ["fah"], 1)
    desk.decide(case, A)
    desk.roll(A, [], 2)
    assert [(c["state"], len(c["parties"])) for c in desk.cases()] == [("open", 2)]


def test_outside_the_days_nothing_is_settled(desk: Desk, case: str) -> None:
    for moment in ("2021-10-14T23:59:59+07:00", "2021-11-12T00:00:00+07:00"):
        desk.bench.set_time(moment)
        body = refused(desk.answer(case, A), 409, "outside-window")
        assert "15 ต.ค. 2564 - 11 พ.ย. 2564" in body["detail_th"]
        assert "11 Nov 2021 (2564)" in body["detail_en"]
        assert body["windows"][0]["closes"] == "2021-11-12T00:00:00+07:00"
        refused(desk.decide(case, A, HQ_GRANT), 409, "outside-window")
    desk.bench.set_time("2021-11-11T23:59:59+07:00")
    assert desk.answer(case, A).status_code == 200
    assert desk.decide(case, A).status_code == 200


def test_an_extension_of_one_party_counts_for_the_case(desk: Desk, case: str) -> None:
    longer = {"activity": "acknowledge", "school": B, "until": "2021-11-13T12:00:00+07:00"}
    desk.bench.deliver(opened(2, (longer,)))
    desk.bench.deliver(opened(1))
    desk.bench.set_time("2021-11-13T11:00:00+07:00")
    assert desk.decide(case, A).status_code == 200
    desk.bench.set_time("2021-11-13T12:00:00+07:00")
    refused(desk.decide(case, B), 409, "outside-window")


def test_arrived_in_time_counts(desk: Desk, case: str) -> None:
    desk.bench.set_time("2021-11-12T00:00:20+07:00")
    headers = desk.who(("clerk", A)) | {"X-Tabian-Received": str(int((time.time() - 30) * 1000))}
    response = desk.bench.client.post(f"/api/v1/duplicates/{case}/evidence", json=EVIDENCE, headers=headers)
    assert response.status_code == 200


def test_closing_takes_no_more_acts_until_aborted_and_sealing_none_at_all(desk: Desk, case: str) -> None:
    entries = [entry(A, ["dao", "fah"], 5), entry(B, ["fah"], 5)]
    for event in closing("c1", entries):
        desk.bench.deliver(event)
    assert desk.answer(case, A).status_code == 200, "intake is fenced, dedup not yet"
    desk.bench.jobs()
    refused(desk.answer(case, B), 409, "round-closing")
    refused(desk.decide(case, A, HQ_GRANT), 409, "round-closing")
    desk.bench.deliver(ClosingAborted(round=ROUND, closure="c1", revision=2))
    assert desk.answer(case, B).status_code == 200
    seal = RoundSealed(
        round=ROUND, closure="c2", revision=3, root="r", schools=2, pupils=3, counted=1, seal={}
    )
    desk.bench.deliver(seal)
    refused(desk.answer(case, A), 409, "round-closed")
    refused(desk.decide(case, A), 409, "round-closed")
    desk.roll(A, ["dao"], 99)
    assert desk.only_case()["state"] == "open", "a sealed round is frozen"
