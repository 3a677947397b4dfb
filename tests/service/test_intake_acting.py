"""Acts that come at the same moment: one transaction for all, and each person's own answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.contracts.intake import SubmissionsChanged
from services.intake.api import acting
from services.intake.tables import rounds, submissions
from services.kit import tracing
from services.kit.gathering import Gathering
from tests.support.collector import Collector
from tests.support.intake_desk import CONFIRM_DAY, OTHER, SCHOOL, IntakeDesk
from tests.support.rosters import ROUND, csv_file, roll
from tests.support.tokens import bearer

PATIENCE = 30.0
Send = Callable[[str], TestResponse]


@pytest.fixture
def both(intake: IntakeDesk) -> IntakeDesk:
    """Two schools that are ready on the day of confirming."""
    intake.upload()
    clerk = bearer(intake.bench.keys, "clerk-other", ("clerk", OTHER))
    sent = intake.put(csv_file(roll(11, 4, "66020003")), school=OTHER, who=clerk)
    assert sent.status_code == 202
    intake.bench.jobs()
    intake.bench.set_time(CONFIRM_DAY)
    return intake


def confirm(
    desk: IntakeDesk, school: str, who: dict[str, str] | None = None, version: str = ""
) -> TestResponse:
    """Over a client of its own: it is called in threads."""
    sender = who or bearer(desk.bench.keys, f"clerk-{school}", ("clerk", school))
    tag = version or version_of(desk, school)
    return desk.bench.app.test_client().post(
        desk.url("/confirmation", school), headers={**sender, "If-Match": f'"{tag}"'}, json={}
    )


def version_of(desk: IntakeDesk, school: str) -> str:
    found = desk.bench.app.test_client().get(desk.url("", school), headers=desk.hq).get_json()
    return str(found["sha256"])


def at_once(
    desk: IntakeDesk, acts: Sequence[Callable[[], TestResponse]]
) -> tuple[list[TestResponse], list[int]]:
    """Send the acts while another run goes on, so that they are the next one; also how many acts each run was given."""
    begun, go, runs = threading.Event(), threading.Event(), list[int]()

    def run(asked: Sequence[acting.Asked]) -> None:
        if not begun.is_set():
            begun.set()
            assert go.wait(PATIENCE)
        else:
            runs.append(len(asked))
        acting._together(asked)

    gathering: Gathering[acting.Asked] = Gathering(run, acting.MOST)
    desk.bench.runtime.parts["acts"] = gathering
    with ThreadPoolExecutor(len(acts) + 1) as pool:
        first = pool.submit(confirm, desk, SCHOOL, desk.director)  # who may not
        assert begun.wait(PATIENCE)
        sent: list[Future[TestResponse]] = []
        for number, act in enumerate(acts):
            sent.append(pool.submit(act))
            while len(gathering) <= number:
                threading.Event().wait(0.001)
        go.set()
        assert first.result().status_code == 403
        return [one.result(PATIENCE) for one in sent], runs


@contextmanager
def held(desk: IntakeDesk, school: str) -> Iterator[None]:
    """Somebody else's transaction holds the school's submission."""
    with desk.bench.database.transaction() as tx:
        rounds.enter(tx, ROUND)
        assert submissions.find(tx, ROUND, school, lock=True)
        yield


def test_acts_on_two_schools_are_one_run_and_each_gets_its_own_receipt(both: IntakeDesk) -> None:
    acts = [lambda: confirm(both, SCHOOL), lambda: confirm(both, OTHER)]
    answers, runs = at_once(both, acts)
    assert runs == [2]
    assert [a.status_code for a in answers] == [200, 200]
    schools = [a.get_json()["receipt"]["payload"]["school"] for a in answers]
    assert schools == [SCHOOL, OTHER]
    assert [(e["school"], e["act"]) for e in told(both)] == [(SCHOOL, "confirm"), (OTHER, "confirm")]


def told(desk: IntakeDesk) -> list[dict[str, Any]]:
    """What the one event of both confirmations says, in order of school."""
    (event,) = (
        event
        for event in desk.bench.published(SubmissionsChanged)
        if {one["act"] for one in event["submissions"]} == {"confirm"}
    )
    return sorted(event["submissions"], key=lambda one: str(one["school"]))


def test_each_state_goes_on_under_its_own_request(both: IntakeDesk) -> None:
    answers, _ = at_once(both, [lambda: confirm(both, SCHOOL), lambda: confirm(both, OTHER)])
    assert [one["correlation"] for one in told(both)] == [
        answer.headers["X-Request-Id"] for answer in answers
    ]


def test_each_act_has_its_span_in_the_trace_of_its_request_and_its_state_goes_on_under_it(
    both: IntakeDesk, collector: Collector
) -> None:
    answers, _ = at_once(both, [lambda: confirm(both, SCHOOL), lambda: confirm(both, OTHER)])
    assert [answer.status_code for answer in answers] == [200, 200]
    states = told(both)
    tracing.stop()
    spans = {span.id: span for span in collector.spans}
    acts = [spans[one["trace"].split("-")[2]] for one in states]
    assert [act.name for act in acts] == ["act confirm", "act confirm"]
    assert [act.attributes["tabian.correlation_id"] for act in acts] == [one["correlation"] for one in states]
    assert len({act.trace for act in acts}) == 2
    for act, other in zip(acts, reversed(acts), strict=True):
        assert act.links == {other.id}
        assert (spans[act.parent].kind, spans[act.parent].trace) == ("server", act.trace)


def test_a_refusal_and_the_same_act_twice_harm_nobody(both: IntakeDesk) -> None:
    stale = "0" * 64
    acts = [
        lambda: confirm(both, OTHER, version=stale),
        lambda: confirm(both, SCHOOL),
        lambda: confirm(both, SCHOOL),
    ]
    answers, runs = at_once(both, acts)
    assert runs == [3]
    assert [a.status_code for a in answers] == [412, 200, 200]
    assert answers[1].get_json() == answers[2].get_json()
    kept = both.get(both.url("/receipts"))["receipts"]
    assert len(kept) == 1


def test_nobody_waits_for_another_schools_upload(both: IntakeDesk) -> None:
    with ThreadPoolExecutor(2) as pool:
        with held(both, SCHOOL):
            version = version_of(both, SCHOOL)
            waits = pool.submit(confirm, both, SCHOOL, None, version)
            assert pool.submit(confirm, both, OTHER).result(PATIENCE).status_code == 200
            assert not waits.done()
        assert waits.result(PATIENCE).status_code == 200


def test_an_act_that_breaks_takes_no_other_with_it(both: IntakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(asked: acting.Asked, *rest: object) -> object:
        if asked.school == OTHER:
            raise RuntimeError("no receipt")
        return receipt(asked, *rest)

    receipt = acting._receipt
    monkeypatch.setattr(acting, "_receipt", broken)
    answers, runs = at_once(both, [lambda: confirm(both, SCHOOL), lambda: confirm(both, OTHER)])
    assert runs == [2]
    assert [a.status_code for a in answers] == [200, 500]
    assert both.school()["state"] == "confirmed"
    assert (
        both.bench.app.test_client().get(both.url("", OTHER), headers=both.hq).get_json()["state"] == "ready"
    )
