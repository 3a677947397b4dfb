"""Screening: cases open, clear by themselves, and come out the same whatever the order of the messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from services.contracts.dedup import CaseChanged, RosterScreened
from services.contracts.intake import RosterIdentified
from services.contracts.roster.canonical import pack
from services.dedup.app import SERVICE
from services.dedup.tables import holder, identity_key, screened
from tests.support.bench import Bench
from tests.support.duplicates import (
    AREA,
    FAR,
    NEXT_AREA,
    ROUND,
    A,
    B,
    Desk,
    area,
    identified,
    projection,
    sha_of,
)


@pytest.fixture
def desk(bench: Callable[..., Bench]) -> Desk:
    return Desk(bench(SERVICE))


def told(desk: Desk, school: str) -> list[dict[str, Any]]:
    return [event for event in desk.bench.published(CaseChanged) if event["school"] == school]


def test_one_roll_alone_opens_nothing(desk: Desk) -> None:
    desk.roll(A, ["dao", "fah", "", ""], 1)
    assert desk.cases() == []
    (screening,) = desk.bench.published(RosterScreened)
    assert (screening["school"], screening["compared_with"], screening["revision"]) == (A, 0, 1)
    assert screening["sha256"] == sha_of(A, ["dao", "fah", "", ""])
    assert screening["at"] == "2021-10-20T09:00:00+07:00"


def test_a_key_on_two_rolls_opens_a_case_and_tells_both_schools(desk: Desk) -> None:
    desk.roll(A, ["dao", "fah"], 1)
    desk.roll(B, ["nok", "fah"], 1)
    case = desk.only_case()
    assert (case["state"], case["decision"], case["round"]) == ("open", "", ROUND)
    assert [(p["school"], p["line"], p["answer"]) for p in case["parties"]] == [
        (A, 2, "none"),
        (B, 2, "none"),
    ]
    for school in (A, B):
        (event,) = told(desk, school)
        assert event["case"] == case["case"]
        assert [p["school"] for p in event["parties"]] == [A, B]
        assert event["parties"][0]["sha256"] == sha_of(A, ["dao", "fah"])
        assert event["parties"][0]["name"] == f"บ้าน {A}"
        assert event["parties"][0]["esa"] == AREA
    assert desk.bench.published(RosterScreened)[1]["compared_with"] == 1


def test_pupils_without_a_key_match_nobody(desk: Desk) -> None:
    desk.roll(A, ["", ""], 1)
    desk.roll(B, ["", ""], 1)
    assert desk.cases() == []


def test_a_key_repeated_in_one_roll_is_one_holding_with_the_lowest_line(desk: Desk) -> None:
    desk.roll(A, ["dao", "fah", "fah"], 1)
    assert desk.cases() == []
    desk.roll(B, ["fah"], 1)
    assert [(p["school"], p["line"]) for p in desk.only_case()["parties"]] == [(A, 2), (B, 1)]


def test_a_case_clears_by_itself_and_reopens_under_its_own_name(desk: Desk) -> None:
    desk.roll(A, ["dao", "fah"], 1)
    desk.roll(B, ["fah"], 1)
    first = desk.only_case()
    desk.roll(B, ["nok"], 2)
    cleared = desk.only_case()
    assert (cleared["case"], cleared["state"]) == (first["case"], "cleared")
    assert cleared["revision"] > first["revision"]
    for school in (A, B):
        assert [(e["state"], len(e["parties"])) for e in told(desk, school)] == [("open", 2), ("cleared", 0)]
    desk.roll(B, ["nok", "fah"], 3)
    again = desk.only_case()
    assert (again["case"], again["state"]) == (first["case"], "open")
    assert again["revision"] > cleared["revision"]
    assert [p["line"] for p in again["parties"]] == [2, 2]


def test_a_new_version_moves_the_line_in_an_open_case(desk: Desk) -> None:
    desk.roll(A, ["fah"], 1)
    desk.roll(B, ["fah"], 1)
    desk.roll(A, ["dao", "nok", "fah"], 2)
    assert [p["line"] for p in desk.only_case()["parties"]] == [3, 1]
    assert [e["parties"][0]["line"] for e in told(desk, B)] == [1, 3]
    assert told(desk, B)[-1]["parties"][0]["sha256"] == sha_of(A, ["dao", "nok", "fah"])


def test_an_unrelated_new_version_is_told_by_its_hash_only(desk: Desk) -> None:
    """The pupil stays on the same line, but the line is now one of another document."""
    desk.roll(A, ["fah", "dao"], 1)
    desk.roll(B, ["fah"], 1)
    desk.roll(A, ["fah", "nok"], 2)
    assert told(desk, B)[-1]["parties"][0]["sha256"] == sha_of(A, ["fah", "nok"])


def test_the_same_roll_again_changes_no_case(desk: Desk) -> None:
    desk.roll(A, ["fah"], 1)
    desk.roll(B, ["fah"], 1)
    before = desk.only_case()
    desk.roll(B, ["fah"], 2)
    assert desk.only_case() == before
    assert len(told(desk, A)) == 1
    assert len(desk.bench.published(RosterScreened)) == 3


def test_three_schools_share_one_case_and_the_one_that_leaves_is_told(desk: Desk) -> None:
    desk.roll(A, ["fah"], 1)
    desk.roll(B, ["fah"], 1)
    desk.roll(FAR, ["nok", "fah"], 1)
    case = desk.only_case()
    assert [p["school"] for p in case["parties"]] == sorted([A, B, FAR])
    desk.roll(B, ["nok2"], 2)
    after = desk.only_case()
    assert (after["state"], [p["school"] for p in after["parties"]]) == ("open", sorted([A, FAR]))
    last = told(desk, B)[-1]
    assert (last["state"], last["parties"], last["revision"]) == ("cleared", [], after["revision"])
    assert told(desk, A)[-1]["state"] == "open"
    desk.roll(A, ["fah", "dao"], 2)
    assert told(desk, B)[-1] == last, "who left is not told what the others do afterwards"


def test_a_stale_version_is_ignored(desk: Desk) -> None:
    desk.roll(A, ["fah"], 1)
    desk.roll(B, ["nok"], 5)
    desk.roll(B, ["fah"], 4)
    assert desk.cases() == []
    assert len(desk.bench.published(RosterScreened)) == 2


def test_rounds_do_not_mix(desk: Desk) -> None:
    desk.roll(A, ["fah"], 1)
    other = RosterIdentified(round="2564-end", school=B, revision=1, sha256=sha_of(B, ["fah"]), pupils=1)
    desk.bench.deliver(other, document=projection(["fah"]))
    assert desk.cases() == []


def test_an_empty_roll_clears_everything_it_held(desk: Desk) -> None:
    desk.roll(A, ["fah", "dao"], 1)
    desk.roll(B, ["fah", "dao"], 1)
    desk.roll(B, [], 2)
    assert [case["state"] for case in desk.cases()] == ["cleared", "cleared"]


@pytest.mark.parametrize(
    "document",
    [
        b"not zstd",
        pack(b""),
        pack(b"line,key\n1,00\n"),
        pack(b"line,key,first_name,last_name,birth_date,sex\n1,short,a,b,c,d\n"),
        pack(b"line,key,first_name,last_name,birth_date,sex\n0,,a,b,c,d\n"),
        pack(b"line,key,first_name,last_name,birth_date,sex\n1,,a,b,c\n"),
        pack(b"line,key,first_name,last_name,birth_date,sex\n1,,a\0,b,c,d\n"),
        pack(b'line,key,first_name,last_name,birth_date,sex\n1,,"a,b,c,d\n'),
        pack("line,key,first_name,last_name,birth_date,sex\n1,,นาย,b,c,d\n".encode("cp874")),
    ],
)
def test_a_document_that_is_no_projection_is_parked_and_changes_nothing(desk: Desk, document: bytes) -> None:
    desk.roll(A, ["fah"], 1)
    desk.bench.deliver(identified(A, ["x"], 2), document=document)
    assert [letter.consumer for letter in desk.bench.broker.dead_letters] == ["dedup"]
    with desk.bench.database.transaction() as tx:
        assert tx.execute(sa.select(screened.c.revision)).scalars().all() == [1]


def test_names_wait_for_the_register(bench: Callable[..., Bench]) -> None:
    b = bench(SERVICE)
    for school in (A, FAR):
        b.deliver(identified(school, ["fah"], 1), document=projection(["fah"]))
    assert [p["name"] for p in b.published(CaseChanged)[0]["parties"]] == ["", ""]
    b.deliver(area(AREA, A, B))
    b.deliver(area(NEXT_AREA, FAR))
    last = b.published(CaseChanged)[-1]
    assert [(p["name"], p["esa"]) for p in last["parties"]] == [
        (f"บ้าน {FAR}", NEXT_AREA),
        (f"บ้าน {A}", AREA),
    ]
    told_before = len(b.published(CaseChanged))
    b.deliver(area(AREA, A, B, revision=2))
    b.deliver(area(AREA, A, B, revision=1, prefix="เก่า"))
    assert len(b.published(CaseChanged)) == told_before, (
        "nothing new, nothing told; a stale register is ignored"
    )


def test_a_big_roll_is_fine(desk: Desk) -> None:
    pupils = [f"p{n}" for n in range(5000)]
    desk.roll(A, pupils, 1)
    desk.roll(B, [*pupils[:20], *(f"q{n}" for n in range(4980))], 1)
    assert len(desk.cases(limit=200)) == 20
    desk.roll(A, pupils[20:], 2)
    assert {case["state"] for case in desk.cases(limit=200)} == {"cleared"}
    with desk.bench.database.transaction() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(holder)).scalar_one() == 9980


def test_keys_stay_for_the_locks_and_names_are_kept_for_matching(desk: Desk) -> None:
    desk.roll(A, ["fah"], 1)
    desk.roll(A, [], 2)
    with desk.bench.database.transaction() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(identity_key)).scalar_one() == 1
        assert tx.execute(sa.select(sa.func.count()).select_from(holder)).scalar_one() == 0


def test_a_number_that_many_schools_type_does_not_flood(desk: Desk) -> None:
    """The 30th school that holds it is told of itself and some others; of the earlier ones nobody is told again."""
    schools = [f"10663{n:05d}" for n in range(30)]
    for school in schools:
        desk.roll(school, ["placeholder"], 1)
    for school in schools[19:]:
        (event,) = told(desk, school)
        assert len(event["parties"]) == 20
        assert school in [p["school"] for p in event["parties"]]
    assert len(told(desk, schools[0])) == 19
    before = len(desk.bench.published(CaseChanged))
    desk.roll(schools[29], [], 2)
    assert [e["school"] for e in desk.bench.published(CaseChanged)[before:]] == [schools[29]]
    assert len(desk.only_case()["parties"]) == 29
