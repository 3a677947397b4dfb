"""The queue at the edge: bounded, acts before readers and readers before reports, uploads never before either."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from gateway.edge.pools import POOLS, SPARE_THREADS
from tests.support.edge import Edge, running_edge
from tests.support.tokens import bearer

CONFIRM = "/api/v1/rounds/2564-2/schools/1066350177/confirmation"
READ = "/api/v1/rounds/2564-2/schools"
QUEUE = 4


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Every process takes one request at a time, and four may wait."""
    small = tuple(replace(pool, threads=SPARE_THREADS + 1, queue=QUEUE) for pool in POOLS)
    with running_edge(tmp_path_factory.mktemp("edge"), small) as running:
        yield running


@pytest.fixture
def clerk(edge: Edge) -> dict[str, str]:
    return bearer(edge.keys, "clerk-1066350177", ("clerk", "1066350177"))


def _ask(edge: Edge, clerk: dict[str, str], method: str, path: str) -> httpx.Response:
    return edge.public.request(method, path, headers=clerk)


def _wait_for_queue(edge: Edge, pool: str, length: int) -> None:
    wanted = f'haproxy_backend_current_queue{{proxy="{pool}"}} {length}'
    for _ in range(100):
        if wanted in httpx.get(edge.metrics).text:
            return
        time.sleep(0.01)
    raise AssertionError(f"{pool} never had {length} waiting")


def test_an_act_overtakes_the_readers_that_wait(edge: Edge, clerk: dict[str, str]) -> None:
    process = edge.processes["intake-api"]
    process.seen.clear()
    with ThreadPoolExecutor(8) as crowd:
        crowd.submit(_ask, edge, clerk, "GET", f"{READ}?slow=first")
        time.sleep(0.1)
        readers = [crowd.submit(_ask, edge, clerk, "GET", f"{READ}?slow={n}") for n in range(3)]
        _wait_for_queue(edge, "intake-api", 3)
        act = crowd.submit(_ask, edge, clerk, "POST", CONFIRM)
        assert act.result().status_code == 200
        assert all(reader.result().status_code == 200 for reader in readers)
    assert [seen["method"] for seen in process.seen] == ["GET", "POST", "GET", "GET", "GET"]


def test_a_full_queue_turns_readers_away_at_once_and_still_takes_acts(
    edge: Edge, clerk: dict[str, str]
) -> None:
    with ThreadPoolExecutor(12) as crowd:
        waiting = [crowd.submit(_ask, edge, clerk, "GET", f"{READ}?slow=1") for _ in range(QUEUE + 2)]
        _wait_for_queue(edge, "intake-api", QUEUE + 1)
        began = time.monotonic()
        refused = _ask(edge, clerk, "GET", READ)
        assert time.monotonic() - began < 0.5
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/busy")
        assert refused.headers["retry-after"] == "2"
        assert crowd.submit(_ask, edge, clerk, "POST", CONFIRM).result().status_code == 200
        assert all(answer.result().status_code == 200 for answer in waiting)


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
