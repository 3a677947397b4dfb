"""The queue at the edge: bounded, acts and readers apart, reports turned away first, uploads never before either, and nobody's flood
of acts before another's first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import repeat
from uuid import uuid4

import httpx
import pytest

from gateway.edge.pools import OWN_ACTS, POOLS, SPARE_THREADS, acts_waiting
from services.kit.tickets import stamp_of
from tests.support.edge import Edge, running_edge
from tests.support.tokens import bearer

CONFIRM = "/api/v1/rounds/2564-2/schools/1066350177/confirmation"
READ = "/api/v1/rounds/2564-2/schools"
ROUND = "/api/v1/rounds/2564-2"
REPORT = "/api/v1/rounds/2564-2/reports/counts"
QUEUE, WAIT_SECONDS = 8, 3


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Every queue hands its process one request at a time, and eight may wait for three seconds: acts sixteen, reports two."""
    small = tuple(
        replace(
            pool,
            threads=SPARE_THREADS + 1 + bool(pool.readers),
            readers=min(1, pool.readers),
            queue=QUEUE,
            wait_seconds=WAIT_SECONDS,
        )
        for pool in POOLS
    )
    assert acts_waiting(small) == 2
    with running_edge(tmp_path_factory.mktemp("edge"), small) as running:
        yield running


@pytest.fixture
def clerk(edge: Edge) -> dict[str, str]:
    return bearer(edge.keys, "clerk-1066350177", ("clerk", "1066350177"))


@pytest.fixture
def people(edge: Edge) -> Iterator[dict[str, str]]:
    """Clerks who have not asked for anything yet, one after the other."""
    return (bearer(edge.keys, f"clerk-{uuid4()}", ("clerk", "1066350177")) for _ in repeat(None))


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(40) as many:
        yield many


def _ask(edge: Edge, clerk: dict[str, str], method: str, path: str) -> httpx.Response:
    return edge.public.request(method, path, headers=clerk)


def _wait_for_queue(edge: Edge, queue: str, length: int) -> None:
    wanted = f'haproxy_backend_current_queue{{proxy="{queue}"}} {length}'
    for _ in range(100):
        if wanted in httpx.get(edge.metrics).text:
            return
        time.sleep(0.01)
    raise AssertionError(f"{queue} never had {length} waiting")


def _statuses(answers: list[Future[httpx.Response]]) -> set[int]:
    return {answer.result().status_code for answer in answers}


def test_a_reader_overtakes_the_reports_that_wait(
    edge: Edge, clerk: dict[str, str], crowd: ThreadPoolExecutor
) -> None:
    process = edge.processes["snapshot-api"]
    process.seen.clear()
    first = crowd.submit(_ask, edge, clerk, "GET", f"{REPORT}?slow=first")
    time.sleep(0.1)
    reports = [crowd.submit(_ask, edge, clerk, "GET", f"{REPORT}?slow={n}") for n in range(2)]
    _wait_for_queue(edge, "snapshot-api", 2)
    reader = crowd.submit(_ask, edge, clerk, "GET", ROUND)
    assert _statuses([first, reader, *reports]) == {200}
    assert [seen["path"].partition("?")[0] for seen in process.seen] == [REPORT, ROUND, REPORT, REPORT]


def test_reports_are_turned_away_while_readers_may_still_wait(
    edge: Edge, clerk: dict[str, str], crowd: ThreadPoolExecutor
) -> None:
    waiting = [crowd.submit(_ask, edge, clerk, "GET", f"{ROUND}?slow={n}") for n in range(4)]
    _wait_for_queue(edge, "snapshot-api", 3)
    began = time.monotonic()
    refused = _ask(edge, clerk, "GET", REPORT)
    assert time.monotonic() - began < 0.5
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/busy")
    assert refused.headers["retry-after"] == "2"
    assert _statuses([*waiting, crowd.submit(_ask, edge, clerk, "GET", ROUND)]) == {200}


def test_a_flood_of_acts_leaves_readers_their_share_and_reports_none(
    edge: Edge, clerk: dict[str, str], crowd: ThreadPoolExecutor
) -> None:
    process = edge.processes["intake-api"]
    process.seen.clear()
    acts = [crowd.submit(_ask, edge, clerk, "POST", f"{CONFIRM}?slow={n}") for n in range(4)]
    _wait_for_queue(edge, "intake-api", 3)
    assert _ask(edge, clerk, "GET", REPORT).status_code == 503, "another pool, but the same machine"
    assert _ask(edge, clerk, "GET", ROUND).status_code == 200
    assert _ask(edge, clerk, "GET", READ).status_code == 200
    assert not acts[-1].done(), "the reader waited for none of them"
    assert _statuses(acts) == {200}
    assert _ask(edge, clerk, "GET", REPORT).status_code == 200


def test_a_flood_of_readers_holds_no_act(
    edge: Edge, clerk: dict[str, str], crowd: ThreadPoolExecutor
) -> None:
    readers = [crowd.submit(_ask, edge, clerk, "GET", f"{READ}?slow={n}") for n in range(4)]
    _wait_for_queue(edge, "intake-api-readers", 3)
    assert _ask(edge, clerk, "POST", CONFIRM).status_code == 200
    assert not readers[-1].done()
    assert _statuses(readers) == {200}


def test_a_full_queue_turns_readers_away_at_once_and_acts_when_twice_as_many_wait(
    edge: Edge, people: Iterator[dict[str, str]], crowd: ThreadPoolExecutor
) -> None:
    for queue, method, path, most in (
        ("intake-api-readers", "GET", READ, QUEUE),
        ("intake-api", "POST", CONFIRM, 2 * QUEUE),
    ):
        waiting = [
            crowd.submit(_ask, edge, next(people), method, f"{path}?slow={n}") for n in range(most + 2)
        ]
        _wait_for_queue(edge, queue, most + 1)
        began = time.monotonic()
        refused = _ask(edge, next(people), method, path)
        assert time.monotonic() - began < 0.5
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/busy")
        assert refused.headers["retry-after"] == "2"
        assert _statuses(waiting) <= {200, 503}


def test_who_asks_again_and_again_stands_behind_who_asks_for_the_first_time(
    edge: Edge, people: Iterator[dict[str, str]], crowd: ThreadPoolExecutor
) -> None:
    process, hasty = edge.processes["intake-api"], next(people)
    for _ in range(OWN_ACTS):
        assert _ask(edge, hasty, "POST", CONFIRM).status_code == 200
    process.seen.clear()
    first = crowd.submit(_ask, edge, next(people), "POST", f"{CONFIRM}?slow=first")
    time.sleep(0.1)
    again = [crowd.submit(_ask, edge, hasty, "POST", f"{CONFIRM}?slow=again{n}") for n in range(2)]
    _wait_for_queue(edge, "intake-api", 2)
    others = [crowd.submit(_ask, edge, next(people), "POST", CONFIRM) for _ in range(3)]
    assert _statuses([first, *again, *others]) == {200}
    assert ["again" in seen["path"] for seen in process.seen] == [False] * 4 + [True] * 2


def test_who_asks_again_and_again_leaves_half_of_the_queue_to_others(
    edge: Edge, people: Iterator[dict[str, str]], crowd: ThreadPoolExecutor
) -> None:
    hasty = next(people)
    again = [
        crowd.submit(_ask, edge, hasty, "POST", f"{CONFIRM}?slow={n}") for n in range(OWN_ACTS + QUEUE + 4)
    ]
    _wait_for_queue(edge, "intake-api", QUEUE + 1)
    began = time.monotonic()
    assert _ask(edge, hasty, "POST", CONFIRM).status_code == 503
    assert time.monotonic() - began < 0.5
    assert _ask(edge, next(people), "POST", CONFIRM).status_code == 200
    assert _statuses(again) == {200, 503}


def test_who_waited_long_enough_is_asked_to_come_again_and_keeps_the_place_in_time(
    edge: Edge, clerk: dict[str, str], crowd: ThreadPoolExecutor
) -> None:
    acts = [crowd.submit(_ask, edge, clerk, "POST", f"{CONFIRM}?slow={n}") for n in range(QUEUE)]
    began = time.monotonic()
    answers = [act.result() for act in acts]
    assert time.monotonic() - began < WAIT_SECONDS + 1.5
    late = [answer for answer in answers if answer.status_code != 200]
    assert 1 <= len(late) <= QUEUE - 3, "one takes 0.6 s"
    for answer in late:
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
        ticket = answer.headers["x-tabian-ticket"]
        stamp = stamp_of(ticket, edge.keys.ticket, "POST", CONFIRM, "clerk-1066350177", time.time())
        assert stamp is not None
        assert time.time() - stamp / 1000 > WAIT_SECONDS - 0.5, "it counts as arrived when it came first"


def test_slow_uploads_hold_no_act(edge: Edge, clerk: dict[str, str]) -> None:
    """One upload holds the only place of the uploads' pool and others queue there; acts go on as if alone."""
    release = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield bytes(40_000)
        release.wait(10)
        yield bytes(100)

    roster = f"{READ}/1066350177/roster"
    with ThreadPoolExecutor(4) as crowd:
        uploads = [
            crowd.submit(
                edge.public.put, roster, headers={**clerk, "Content-Length": "40100"}, content=slowly()
            )
            for _ in range(3)
        ]
        _wait_for_queue(edge, "intake-uploads", 2)
        times = []
        for _ in range(20):
            began = time.monotonic()
            assert _ask(edge, clerk, "POST", CONFIRM).status_code == 200
            times.append(time.monotonic() - began)
        release.set()
        assert sorted(times)[18] < 0.25
        assert all(upload.result().status_code == 200 for upload in uploads)
