"""What keeps a round from being closed or sealed, and giving an attempt up: every way it ends with the state untouched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from services.contracts.dedup import Outcome
from services.contracts.intake import ManifestEntry, SubmissionState
from services.contracts.snapshot import ClosingAborted, ClosingAnnounced, RosterRequested, RoundSealed
from services.snapshot.jobs.closing import advance_closings
from services.snapshot.tables import manifest_entry, roster_count, sealed_school
from tests.support.rosters import ROUND
from tests.support.snapshot_desk import (
    FAR,
    ONE,
    THREE,
    TWO,
    SnapshotDesk,
    entry,
    messages,
    roll,
    stands,
    told,
)
from tests.support.tokens import bearer

FIRST, SECOND = roll(1, 3), roll(10, 2)
ENTRIES = [entry(ONE, FIRST), entry(TWO, SECOND, "ready"), entry(THREE, None, "empty")]


@pytest.fixture
def desk(snapshot: SnapshotDesk) -> SnapshotDesk:
    snapshot.accept(ONE, FIRST)
    snapshot.accept(TWO, SECOND)
    return snapshot


def post(
    desk: SnapshotDesk, name: str = ROUND, who: dict[str, str] | None = None, **more: Any
) -> TestResponse:
    return desk.bench.client.post(f"/api/v1/rounds/{name}/closure", headers=who or desk.hq, **more)


def code(answer: TestResponse) -> tuple[int, str]:
    told = answer.get_json()
    assert told["detail_th"]
    assert told["detail_en"]
    return answer.status_code, told["type"].removeprefix("/problems/")


def refusal(desk: SnapshotDesk) -> tuple[str, list[str]]:
    """Why the attempt cannot go on, after checking that only headquarters can help and nothing was sealed."""
    state = desk.closure()
    assert state["state"] in ("fenced", "settled", "compared")
    assert [one["who"] for one in state["awaiting"]] == ["hq"]
    assert not advance_closings(desk.bench.runtime)
    assert desk.bench.published(RoundSealed) == []
    with desk.bench.database.transaction() as tx:
        assert tx.execute(sa.select(sealed_school)).first() is None
    return state["refusal"]["code"], state["refusal"]["schools"]


def goes_on_after_abort(desk: SnapshotDesk) -> None:
    assert desk.abort().status_code == 200
    desk.close(ENTRIES)
    assert desk.closure()["state"] == "sealed"


def test_a_manifest_with_other_numbers_than_the_documents(desk: SnapshotDesk) -> None:
    desk.close([*ENTRIES[:1], replace(ENTRIES[1], pupils=3), ENTRIES[2]])
    assert refusal(desk) == ("counts-disagree", [TWO])
    assert desk.bench.published(RosterRequested) == []
    goes_on_after_abort(desk)


@pytest.mark.parametrize("line", [0, 4])
def test_an_outcome_of_a_line_that_is_not_there(desk: SnapshotDesk, line: int) -> None:
    astray = Outcome(school=ONE, sha256=FIRST.sha256, line=line, reason="duplicate-lost", case="c")
    desk.close(ENTRIES, [astray])
    assert refusal(desk) == ("counts-disagree", [ONE])
    goes_on_after_abort(desk)


def test_an_outcome_with_a_reason_that_is_none(desk: SnapshotDesk) -> None:
    desk.close(ENTRIES, [Outcome(school=ONE, sha256=FIRST.sha256, line=1, reason="disliked", case="c")])
    assert refusal(desk) == ("counts-disagree", [ONE])


def test_an_outcome_for_a_school_without_a_roster(desk: SnapshotDesk) -> None:
    desk.close(ENTRIES, [Outcome(school=THREE, sha256="", line=1, reason="duplicate-lost", case="c")])
    assert refusal(desk) == ("counts-disagree", [THREE])


@pytest.mark.parametrize("column", ["cells", "recounted"])
def test_two_ways_of_counting_that_differ(desk: SnapshotDesk, column: str) -> None:
    changed = {column: [["ป.1", "ช", "", 3]]}
    with desk.bench.database.transaction() as tx:
        tx.execute(sa.update(roster_count).where(roster_count.c.sha256 == FIRST.sha256).values(changed))
    desk.close(ENTRIES)
    assert refusal(desk) == ("counts-disagree", [ONE])


@pytest.mark.parametrize("column", ["line_cells", "line_recounted"])
def test_lines_that_are_not_those_that_were_counted(desk: SnapshotDesk, column: str) -> None:
    """A girl, a boy, a girl: the boy on line 2 would be the second girl."""
    lost = Outcome(school=ONE, sha256=FIRST.sha256, line=2, reason="duplicate-lost", case="c")
    with desk.bench.database.transaction() as tx:
        tx.execute(sa.update(roster_count).values({column: b"\x01\x01\x00"}))
    desk.close(ENTRIES, [lost])
    assert refusal(desk) == ("counts-disagree", [ONE])


def test_lines_not_counted_that_are_not_as_many_as_the_pupils(desk: SnapshotDesk) -> None:
    with desk.bench.database.transaction() as tx:
        tx.execute(sa.update(roster_count).values(lines=[[1, "under-age"]]))
    desk.close(ENTRIES)
    assert refusal(desk) == ("counts-disagree", [ONE])


def test_a_manifest_that_is_not_what_the_fence_named(desk: SnapshotDesk) -> None:
    closure = desk.announce()
    for message in messages(closure, ENTRIES):
        desk.bench.deliver(message)
    with desk.bench.database.transaction() as tx:
        tx.execute(sa.update(manifest_entry).where(manifest_entry.c.school == TWO).values(state="certified"))
    desk.bench.jobs()
    assert refusal(desk)[0] == "manifest-incomplete"


def test_a_school_twice_in_the_manifest(desk: SnapshotDesk) -> None:
    desk.close([ENTRIES[0], ENTRIES[0], *ENTRIES[1:]])
    assert refusal(desk)[0] == "contradiction"


def test_outcomes_for_another_manifest(desk: SnapshotDesk) -> None:
    closure = desk.announce()
    for message in messages(closure, ENTRIES)[:3] + messages(closure, ENTRIES[:2])[3:]:
        desk.bench.deliver(message)
    desk.bench.jobs()
    assert refusal(desk)[0] == "contradiction"


def of_entry(one: ManifestEntry, revision: int, state: str) -> SubmissionState:
    return stands(one.school, revision, state, sha256=one.sha256, pupils=one.pupils)


def test_a_manifest_that_lacks_an_act_told_before(desk: SnapshotDesk) -> None:
    """Intake came back from an old copy of its database: what it forgot is not sealed away."""
    desk.bench.deliver(told(of_entry(ENTRIES[1], 9, "certified")))
    desk.bench.deliver(told(of_entry(ENTRIES[1], 7, "ready")))
    desk.close(ENTRIES)
    assert refusal(desk) == ("counts-disagree", [TWO])


def test_states_told_before_the_fence_or_that_change_by_themselves_keep_nothing(desk: SnapshotDesk) -> None:
    desk.bench.deliver(told(of_entry(ENTRIES[0], 5, "certified")))
    desk.bench.deliver(told(of_entry(ENTRIES[1], 9, "draft")))
    desk.close(ENTRIES)
    assert desk.closure()["state"] == "sealed"


def test_rates_that_are_not_there_are_waited_for(desk: SnapshotDesk) -> None:
    desk.bench.runtime.parts["rates"] = desk.bench.runtime.settings.data
    with pytest.raises(FileNotFoundError):
        desk.close(ENTRIES)
    assert desk.closure()["state"] == "compared"
    del desk.bench.runtime.parts["rates"]
    desk.bench.jobs()
    assert desk.closure()["state"] == "sealed"


def test_giving_up_before_the_seal_and_what_comes_late_for_it(desk: SnapshotDesk) -> None:
    closure = desk.announce()
    first, *later = messages(closure, ENTRIES)
    desk.bench.deliver(first)
    desk.bench.jobs()
    answer = desk.abort()
    assert (answer.status_code, answer.get_json()["state"]) == (200, "aborted")
    assert answer.get_json()["awaiting"] == []
    assert desk.abort().get_json() == answer.get_json()
    (announced,), (given_up,) = desk.bench.published(ClosingAnnounced), desk.bench.published(ClosingAborted)
    assert given_up == {"round": ROUND, "closure": closure, "revision": given_up["revision"]}
    assert given_up["revision"] > announced["revision"]
    for message in later:
        desk.bench.deliver(message)
    desk.bench.jobs()
    assert desk.closure()["state"] == "aborted"
    assert desk.get("").get_json()["state"] == "open"
    with desk.bench.database.transaction() as tx:
        assert tx.execute(sa.select(manifest_entry)).first() is None
    desk.close(ENTRIES)
    assert desk.closure()["state"] == "sealed"
    assert desk.closure()["closure"] != closure


def test_messages_of_a_closing_never_announced_here_are_passed_over(desk: SnapshotDesk) -> None:
    for message in messages("another", ENTRIES):
        desk.bench.deliver(message)
    desk.close(ENTRIES)
    assert desk.closure()["state"] == "sealed"


def test_a_sealed_round_cannot_be_given_up_closed_or_prolonged(desk: SnapshotDesk) -> None:
    desk.close(ENTRIES)
    assert code(desk.abort()) == (409, "round-sealed")
    assert code(post(desk)) == (409, "round-sealed")
    wanted = {"activity": "confirm", "schools": [ONE], "until": "2021-12-01T16:30:00+07:00"}
    answer = desk.bench.client.post(desk.url("/extensions"), json=wanted, headers=desk.hq)
    assert code(answer) == (409, "round-closing")
    assert len(desk.bench.published(RoundSealed)) == 1


def test_announced_twice_it_is_one_attempt(desk: SnapshotDesk) -> None:
    closure = desk.announce()
    assert post(desk, json={}).get_json()["closure"] == closure
    assert post(desk).status_code == 202
    assert len(desk.bench.published(ClosingAnnounced)) == 1


def test_not_before_the_day_nor_of_a_round_that_is_not_closed_by_headquarters(desk: SnapshotDesk) -> None:
    desk.bench.set_time("2021-11-10T16:39:59+07:00")
    assert code(post(desk)) == (409, "too-early")
    assert desk.open("bobec-2564").status_code == 201
    assert code(post(desk, "bobec-2564")) == (409, "nothing-to-close")
    assert code(desk.get("/closure")) == (404, "not-found")
    assert code(desk.abort()) == (404, "not-found")


def test_only_headquarters_closes_and_only_it_and_operators_follow(desk: SnapshotDesk) -> None:
    desk.announce()
    ops, partner = (bearer(desk.bench.keys, role, (role, "*")) for role in ("ops", "partner"))
    for who in (desk.clerk, desk.area, ops, partner, desk.service):
        assert code(post(desk, who=who)) == (403, "role-required")
        assert code(desk.bench.client.delete(desk.url("/closure"), headers=who)) == (403, "role-required")
    assert desk.get("/closure", ops).status_code == 200
    for who in (desk.clerk, desk.area, partner):
        assert code(desk.get("/closure", who)) == (404, "not-found")
    assert code(desk.bench.client.get(desk.url("/closure"))) == (401, "token-missing")


@pytest.mark.parametrize("name", ["2564-9", "nope", "%00", "../etc", "2564-1", FAR])
def test_a_round_that_is_not_open_is_not_there(desk: SnapshotDesk, name: str) -> None:
    assert code(post(desk, name))[0] == 404


@pytest.mark.parametrize("sent", [b"[]", b"{", b'{"really": true}', b"\xff", b"[" * 50000])
def test_a_body_that_makes_no_sense_closes_nothing(desk: SnapshotDesk, sent: bytes) -> None:
    desk.bench.set_time("2021-11-11T17:00:00+07:00")
    assert post(desk, data=sent).status_code in (400, 422)
    assert desk.bench.published(ClosingAnnounced) == []
