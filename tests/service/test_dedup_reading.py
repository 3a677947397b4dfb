"""Who sees which cases, page by page; and what hostile requests get."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest

from services.dedup.app import SERVICE
from services.dedup.tables import answer, ruling
from tests.support.bench import Bench
from tests.support.duplicates import (
    AREA,
    AREA_GRANT,
    EVIDENCE,
    FAR,
    HQ_GRANT,
    NEXT_AREA,
    NEXT_GRANT,
    ROOT,
    A,
    B,
    C,
    Desk,
    count,
    refused,
)

DECISION = {"belongs_to": A, "reason": "ไปเยี่ยมบ้านแล้ว"}


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


def test_each_sees_its_own_cases_only(desk: Desk, across: str) -> None:
    def seen(*grants: tuple[str, str], **query: object) -> list[list[str]]:
        return [[p["school"] for p in case["parties"]] for case in desk.cases(*grants, **query)]

    within, between = [A, B], [FAR, A]
    assert seen(("clerk", A)) == [within, between]
    assert seen(("clerk", B)) == [within]
    assert seen(("director", FAR)) == [between]
    assert seen(("clerk", C)) == []
    assert seen(AREA_GRANT) == [within, between]
    assert seen(NEXT_GRANT) == [between]
    assert seen(HQ_GRANT) == [within, between]
    assert seen(("clerk", B), ("director", FAR)) == [within, between]
    refused(desk.bench.client.get(ROOT, headers=desk.who(("ops", "*"))), 404, "not-found")
    assert seen(("area", "*")) == []
    assert seen(AREA_GRANT, school=B) == [within]
    assert seen(HQ_GRANT, esa=NEXT_AREA) == [between]
    assert seen(HQ_GRANT, state="decided") == []
    assert seen(HQ_GRANT, state="open", school=FAR) == [between]


def test_a_list_never_names_a_pupil(desk: Desk, case: str) -> None:
    raw = desk.bench.client.get(ROOT, headers=desk.who(("clerk", A))).get_data(as_text=True)
    assert "ชื่อ" not in raw
    assert "สกุล" not in raw
    assert "key" not in raw


def test_who_left_a_case_no_longer_sees_it_but_a_cleared_one_stays(desk: Desk, case: str) -> None:
    desk.roll(C, ["fah"], 1)
    desk.roll(B, [], 2)
    assert desk.cases(("clerk", B)) == []
    refused(desk.answer(case, B), 404, "not-found")
    desk.roll(C, [], 2)
    assert [c["state"] for c in desk.cases(("clerk", C))] == ["cleared"]


@pytest.mark.parametrize(
    ("grant", "query"),
    [
        (("clerk", A), {"school": B}),
        (("clerk", A), {"esa": AREA}),
        (AREA_GRANT, {"school": FAR}),
        (AREA_GRANT, {"esa": NEXT_AREA}),
    ],
)
def test_asking_beyond_ones_scope_is_404(desk: Desk, grant: tuple[str, str], query: dict[str, str]) -> None:
    refused(desk.bench.client.get(ROOT, query_string=query, headers=desk.who(grant)), 404, "not-found")


def test_pages_follow_each_other(desk: Desk) -> None:
    pupils = [f"p{n}" for n in range(7)]
    desk.roll(A, [*pupils, "fah"], 2)
    desk.roll(C, pupils, 1)
    seen: list[str] = []
    cursor: str | None = "0"
    sizes = []
    while cursor is not None:
        url = f"{ROOT}?limit=3&cursor={cursor}"
        page = desk.bench.client.get(url, headers=desk.who(("clerk", A))).json
        assert page is not None
        sizes.append(len(page["cases"]))
        seen += [case["case"] for case in page["cases"]]
        cursor = page["next"]
    assert sizes == [3, 3, 2]
    assert len(set(seen)) == 8


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "cursor=-1",
        "cursor=9e9",
        f"cursor={2**63}",
        "state=closed",
        "school=%00",
        "esa=' or 1=1",
        "unknown=1",
        "school=1&school=2&limit=" + "9" * 5000,
    ],
)
def test_hostile_queries_are_422(desk: Desk, query: str) -> None:
    refused(desk.bench.client.get(f"{ROOT}?{query}", headers=desk.who(HQ_GRANT)), 422, "invalid-body")


@pytest.mark.parametrize("name", ["2569-1", "%00", "x" * 500, "2564-2%27", "ปี"])
def test_a_round_that_is_not_is_404(desk: Desk, name: str) -> None:
    response = desk.bench.client.get(f"/api/v1/rounds/{name}/duplicates", headers=desk.who(HQ_GRANT))
    refused(response, 404, "not-found")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        EVIDENCE | {"sentence": "สั้น"},
        EVIDENCE | {"sentence": "    \n\t  ก "},
        EVIDENCE | {"sentence": "ก" * 501},
        EVIDENCE | {"sentence": "มี\x00ศูนย์ไบต์"},
        EVIDENCE | {"sentence": "surrogate \ud800 alone"},
        EVIDENCE | {"sentence": None},
        EVIDENCE | {"sentence": ["a", "list"]},
        EVIDENCE | {"sentence": 12345678},
        EVIDENCE | {"school": ""},
        EVIDENCE | {"school": "neither"},
        EVIDENCE | {"school": int(A)},
        EVIDENCE | {"school": "๑๐๖๖๓๕๐๑๗๗"},
        EVIDENCE | {"answer": "theirs"},
    ],
)
def test_hostile_answers_are_422_and_change_nothing(desk: Desk, case: str, sent: dict[str, object]) -> None:
    url = f"/api/v1/duplicates/{case}/evidence"
    response = desk.bench.client.post(url, data=json.dumps(sent), headers=desk.who(("clerk", A)))
    body = refused(response, 422, "invalid-body")
    for messages in body["errors"].values():
        assert all({"th", "en"} <= set(message) for message in messages)
    assert count(desk, answer) == 0


@pytest.mark.parametrize(
    "sent",
    [
        {},
        DECISION | {"belongs_to": "both"},
        DECISION | {"reason": ""},
        {"belongs_to": A},
        DECISION | {"x": 1},
    ],
)
def test_hostile_decisions_are_422_and_change_nothing(desk: Desk, case: str, sent: dict[str, object]) -> None:
    url = f"/api/v1/duplicates/{case}/decision"
    response = desk.bench.client.post(url, data=json.dumps(sent), headers=desk.who(AREA_GRANT))
    refused(response, 422, "invalid-body")
    assert count(desk, ruling) == 0


@pytest.mark.parametrize("act", ["evidence", "decision"])
def test_wrong_addresses_bodies_and_tokens(desk: Desk, case: str, act: str) -> None:
    client, who = desk.bench.client, desk.who(HQ_GRANT)
    good = EVIDENCE if act == "evidence" else DECISION
    missing = f"/api/v1/duplicates/{uuid.uuid4()}/{act}"
    refused(client.post(missing, json=good, headers=who), 404, "not-found")
    refused(client.post(f"/api/v1/duplicates/1;drop/{act}", json=good, headers=who), 404, "not-found")
    refused(client.post(f"/api/v1/duplicates/{case}/{act}", json=good), 401, "token-missing")
    refused(client.post(f"/api/v1/duplicates/{case}/{act}", data=b"[1", headers=who), 400, "not-json")
    refused(
        client.post(f"/api/v1/duplicates/{case}/{act}", data=b"x" * 70_000, headers=who), 413, "too-large"
    )
