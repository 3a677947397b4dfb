"""Rounds on the bench: opened from the calendar, shown with their windows, prolonged for named schools; and the
documents and registers that come by message."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from services.contracts.calendar import RoundPlan
from services.contracts.intake import RosterAccepted
from services.contracts.roster import canonical
from services.contracts.snapshot import RoundOpened
from services.snapshot.tables import document, roster_count
from tests.support.rosters import CALENDAR, ROUND, plan
from tests.support.snapshot_desk import ESA, FAR, FAR_ESA, ONE, THREE, TWO, Roster, SnapshotDesk, roll
from tests.support.tokens import bearer

LONGER = {"activity": "confirm", "schools": [ONE], "until": "2021-11-12T16:30:00+07:00"}


def code(answer: TestResponse) -> tuple[int, str]:
    told = answer.get_json()
    assert told["detail_th"]
    assert told["detail_en"]
    return answer.status_code, told["type"].removeprefix("/problems/")


def extend(desk: SnapshotDesk, who: dict[str, str] | None = None, **changed: Any) -> TestResponse:
    return desk.bench.client.post(desk.url("/extensions"), json=LONGER | changed, headers=who or desk.hq)


def activity(desk: SnapshotDesk, key: str, who: dict[str, str] | None = None) -> dict[str, Any]:
    shown = desk.get("", who).get_json()["activities"]
    found: dict[str, Any] = next(one for one in shown if one["key"] == key)
    return found


def test_a_round_is_opened_from_the_calendar_and_told_whole(snapshot: SnapshotDesk) -> None:
    (told,) = snapshot.bench.published(RoundOpened)
    assert RoundPlan.from_plain(told["plan"]) == plan()
    assert (told["round"], told["extensions"]) == (ROUND, [])
    shown = snapshot.get("", snapshot.clerk).get_json()
    assert (shown["round"], shown["kind"], shown["state"], shown["count_day"]) == (
        ROUND,
        "roster",
        "open",
        "2021-11-10",
    )
    assert [one["key"] for one in shown["activities"]] == list(plan().keys)
    assert activity(snapshot, "confirm")["opens"] == "2021-11-10T08:30:00+07:00"
    assert activity(snapshot, "confirm")["closes"] == "2021-11-10T16:30:00+07:00"


def test_opening_again_is_the_same_answer_and_tells_nothing(snapshot: SnapshotDesk) -> None:
    again = snapshot.open()
    assert again.status_code == 200
    assert again.get_json() == snapshot.get("").get_json()
    assert len(snapshot.bench.published(RoundOpened)) == 1


def test_a_corrected_calendar_is_taken_over_while_the_round_is_open(
    snapshot: SnapshotDesk, tmp_path: Path
) -> None:
    text = CALENDAR.read_text(encoding="utf-8").replace("closes = 16:30:00", "closes = 17:00:00")
    (tmp_path / "2564.toml").write_text(text, encoding="utf-8")
    snapshot.bench.runtime.parts["calendars"] = tmp_path
    assert snapshot.open().status_code == 200
    first, second = snapshot.bench.published(RoundOpened)
    assert second["revision"] > first["revision"]
    assert activity(snapshot, "confirm")["closes"] == "2021-11-10T17:00:00+07:00"
    snapshot.announce()
    del snapshot.bench.runtime.parts["calendars"]
    assert snapshot.open().status_code == 200
    assert len(snapshot.bench.published(RoundOpened)) == 2


@pytest.mark.parametrize(
    ("at", "open_now"),
    [
        ("2021-10-20T09:00:00+07:00", ["update", "follow-up"]),
        ("2021-11-10T08:29:59+07:00", ["update", "follow-up"]),
        ("2021-11-10T08:30:00+07:00", ["update", "confirm", "certify", "follow-up"]),
        ("2021-11-10T16:30:00+07:00", ["update", "follow-up"]),
        ("2021-11-11T12:00:00+07:00", ["acknowledge", "follow-up", "close", "deliver"]),
    ],
)
def test_what_is_open_goes_by_the_round_clock(snapshot: SnapshotDesk, at: str, open_now: list[str]) -> None:
    snapshot.bench.set_time(at)
    shown = snapshot.get("", snapshot.clerk).get_json()
    assert shown["open_now"] == open_now
    assert [one["key"] for one in shown["activities"] if one["open"]] == shown["open_now"]


def test_the_list_has_the_open_rounds_and_for_headquarters_those_planned(snapshot: SnapshotDesk) -> None:
    snapshot.open("bobec-2564")

    def states(who: dict[str, str]) -> dict[str, str]:
        answer = snapshot.bench.client.get("/api/v1/rounds", headers=who).get_json()
        return {one["round"]: one["state"] for one in answer["rounds"]}

    partner = bearer(snapshot.bench.keys, "p", ("partner", "*"))
    for who in (snapshot.clerk, snapshot.area, partner):
        assert states(who) == {"bobec-2564": "open", ROUND: "open"}
    planned = {"2564-1": "planned", "2564-end": "planned"}
    assert states(snapshot.hq) == {"bobec-2564": "open", ROUND: "open"} | planned
    assert snapshot.bench.client.get("/api/v1/rounds").status_code == 401


def test_a_school_that_got_more_time_sees_it_and_others_do_not(snapshot: SnapshotDesk) -> None:
    assert extend(snapshot).status_code == 200
    first, second = snapshot.bench.published(RoundOpened)
    assert second["revision"] > first["revision"]
    assert second["extensions"] == [{"activity": "confirm", "school": ONE, "until": LONGER["until"]}]
    other = bearer(snapshot.bench.keys, "other", ("clerk", TWO))
    assert activity(snapshot, "confirm", snapshot.clerk)["closes"] == LONGER["until"]
    assert activity(snapshot, "confirm", other)["closes"] == "2021-11-10T16:30:00+07:00"
    assert snapshot.get("").get_json()["extensions"] == second["extensions"]
    assert "extensions" not in snapshot.get("", snapshot.clerk).get_json()


def test_the_same_again_tells_nothing_and_a_wrong_one_is_put_right(snapshot: SnapshotDesk) -> None:
    extend(snapshot)
    extend(snapshot, until="2021-11-12T09:30:00Z")
    assert len(snapshot.bench.published(RoundOpened)) == 2
    extend(snapshot, schools=[ONE, TWO, ONE], until="2021-11-11T12:00:00+07:00")
    assert len(snapshot.bench.published(RoundOpened)[-1]["extensions"]) == 3
    assert activity(snapshot, "confirm", snapshot.clerk)["closes"] == "2021-11-11T12:00:00+07:00"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"activity": "dance"}, (422, "unknown-activity")),
        ({"activity": "record"}, (422, "unknown-activity")),
        ({"schools": [ONE, "9999999999"]}, (422, "unknown-schools")),
        ({"schools": []}, (422, "invalid-body")),
        ({"schools": ["1066350177\n"]}, (422, "invalid-body")),
        ({"schools": "1066350177"}, (422, "invalid-body")),
        ({"schools": [None]}, (422, "invalid-body")),
        ({"until": "2021-11-12T16:30:00"}, (422, "invalid-body")),
        ({"until": "tomorrow"}, (422, "invalid-body")),
        ({"until": 5}, (422, "invalid-body")),
        ({"extra": True}, (422, "invalid-body")),
    ],
)
def test_an_extension_that_makes_no_sense_is_refused(
    snapshot: SnapshotDesk, changed: dict[str, Any], problem: tuple[int, str]
) -> None:
    assert code(extend(snapshot, **changed)) == problem
    assert len(snapshot.bench.published(RoundOpened)) == 1


def test_only_headquarters_opens_and_prolongs(snapshot: SnapshotDesk) -> None:
    for who in (snapshot.clerk, snapshot.area, bearer(snapshot.bench.keys, "o", ("ops", "*"))):
        opened = snapshot.bench.client.post("/api/v1/rounds", json={"round": "2564-1"}, headers=who)
        assert code(opened) == (403, "role-required")
        assert code(extend(snapshot, who)) == (403, "role-required")
    assert snapshot.bench.client.get("/api/v1/rounds/2564-1", headers=snapshot.hq).status_code == 404


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"round": "2565-1"}, (422, "round-not-in-calendar")),
        ({"round": "../../etc/passwd"}, (422, "round-not-in-calendar")),
        ({"round": ""}, (422, "invalid-body")),
        ({"round": "x" * 100}, (422, "invalid-body")),
        ({"round": 5}, (422, "invalid-body")),
        ({}, (422, "invalid-body")),
        ([], (400, "not-json")),
    ],
)
def test_a_round_no_calendar_has_cannot_be_opened(
    snapshot: SnapshotDesk, sent: Any, problem: tuple[int, str]
) -> None:
    assert code(snapshot.bench.client.post("/api/v1/rounds", json=sent, headers=snapshot.hq)) == problem


@pytest.mark.parametrize("text", ["[[round", 'academic_year = "x"', "\ufeffnothing = 1"])
def test_a_calendar_that_cannot_be_used_is_named(snapshot: SnapshotDesk, tmp_path: Path, text: str) -> None:
    (tmp_path / "2565.toml").write_text(text, encoding="utf-8")
    snapshot.bench.runtime.parts["calendars"] = tmp_path
    answer = snapshot.bench.client.post("/api/v1/rounds", json={"round": "2565-1"}, headers=snapshot.hq)
    assert code(answer) == (500, "calendar-unreadable")
    assert "2565.toml" in answer.get_json()["detail_th"]


def stored(desk: SnapshotDesk) -> tuple[int, int]:
    with desk.bench.database.transaction() as tx:
        tables = (document, roster_count)
        found = [tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables]
    return found[0], found[1]


def test_every_document_is_kept_once_and_counted_once_a_year(snapshot: SnapshotDesk) -> None:
    made = roll(1, 3)
    snapshot.accept(ONE, made)
    snapshot.accept(ONE, made)
    snapshot.accept(TWO, made)
    assert stored(snapshot) == (1, 1)
    snapshot.accept(ONE, roll(1, 4))
    snapshot.open("2564-1")
    snapshot.accept(ONE, made, "2564-1")
    assert stored(snapshot) == (2, 2)


def damaged(made: Roster) -> list[bytes]:
    """Bytes that are not the document named."""
    other = canonical.pack(made.data.replace(b"1660", b"1661"))
    return [
        b"",
        b"\x28\xb5\x2f\xfd",
        made.packed[:-9],
        made.packed + b"\0",
        other,
        canonical.pack(b"a,b\n"),
        made.data,
    ]


@pytest.mark.parametrize("number", range(7))
def test_bytes_that_are_not_the_document_are_not_kept(snapshot: SnapshotDesk, number: int) -> None:
    made = roll(1, 3)
    told = RosterAccepted(round=ROUND, school=ONE, revision=1, sha256=made.sha256, pupils=3)
    snapshot.bench.deliver(told, document=damaged(made)[number])
    assert stored(snapshot) == (0, 0)
    snapshot.accept(ONE, made)
    assert stored(snapshot) == (1, 1)


def test_a_roster_of_a_round_never_opened_is_parked(snapshot: SnapshotDesk) -> None:
    snapshot.accept(ONE, roll(1, 3), "2599-1")
    assert stored(snapshot) == (0, 0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_school_that_moves_ends_in_the_right_area_whatever_the_order(
    snapshot: SnapshotDesk, order: tuple[int, ...]
) -> None:
    moves = [(ESA, (ONE, TWO), 5), (FAR_ESA, (FAR, THREE), 6), (ESA, (ONE,), 7)]
    for number in order:
        esa, schools, revision = moves[number]
        snapshot.register(esa, *schools, revision=revision)
    with snapshot.bench.database.transaction() as tx:
        found = tx.execute(sa.text("SELECT code, esa FROM school ORDER BY code")).all()
    assert {row.code: row.esa for row in found} == {ONE: ESA, THREE: FAR_ESA, FAR: FAR_ESA}
