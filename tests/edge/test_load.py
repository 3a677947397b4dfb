"""The load's caller, against a real edge: it keeps its pace whatever the answers do, and who is turned away comes again."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from deploy.rehearsal.journal import Journal
from deploy.rehearsal.load.caller import TICKET, Answer, Call, Caller
from deploy.rehearsal.load.figures import outcome
from tests.support.edge import Edge, running_edge
from tests.support.tokens import bearer

CONFIRM = "/api/v1/rounds/2564-2/schools/1066350177/confirmation"
READ = "/api/v1/rounds/2564-2/schools"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("load")


@pytest.fixture(scope="module")
def edge(place: Path) -> Iterator[Edge]:
    with running_edge(place) as running:
        yield running


def call(edge: Edge, method: str, path: str) -> Call:
    return Call("clerk", method, path, bearer(edge.keys, "clerk", ("clerk", "1066350177")))


def load(
    edge: Edge, place: Path, calls: Iterable[Call], *, rate: float = 0.0, patience: float = 20
) -> list[Answer]:
    """At a rate, or two at once."""

    async def run() -> list[Answer]:
        certificate = place / "secrets" / "edge.crt"
        with Journal(place / "journal.jsonl") as journal:
            address = str(edge.public.base_url)
            async with Caller(address, certificate, journal, lines=20, patience=patience) as caller:
                return await (caller.paced(calls, rate) if rate else caller.every(calls, at_once=2))

    return asyncio.run(run())


def test_an_open_loop_keeps_its_pace_and_counts_from_when_a_call_was_due(edge: Edge, place: Path) -> None:
    answers = load(edge, place, [call(edge, "GET", f"{READ}?slow") for _ in range(10)], rate=20)
    assert [round(a.due - answers[0].due, 2) for a in answers] == [round(n / 20, 2) for n in range(10)]
    assert all(a.good and a.waited >= 0.6 for a in answers), "each takes the process 0.6 s"
    assert answers[-1].sent - answers[0].sent < 2, "nobody waited for the one before"


def test_a_closed_loop_sends_everything_once(edge: Edge, place: Path) -> None:
    edge.processes["intake-api"].seen.clear()
    answers = load(edge, place, [call(edge, "GET", f"{READ}?n={n}") for n in range(7)])
    assert outcome(answers)["statuses"] == {"200": 7}
    assert sorted(seen["path"] for seen in edge.processes["intake-api"].seen) == [
        f"{READ}?n={n}" for n in range(7)
    ]


def test_a_closed_loop_makes_a_call_when_somebody_is_free_to_send_it(edge: Edge, place: Path) -> None:
    seen = edge.processes["intake-api"].seen
    seen.clear()
    ahead: list[int] = []

    def calls() -> Iterator[Call]:
        for number in range(12):
            ahead.append(number - len(seen))
            yield call(edge, "GET", f"{READ}?n={number}")

    assert len(load(edge, place, calls())) == 12
    assert max(ahead) <= 2, "two people send"


def test_who_is_turned_away_comes_again_with_the_ticket(edge: Edge, place: Path) -> None:
    process = edge.processes["intake-api"]
    process.stop()
    process.seen.clear()
    again = threading.Timer(2, process.start)
    again.start()
    (answer,) = load(edge, place, [call(edge, "POST", CONFIRM)])
    again.join()
    assert answer.status == 200
    assert answer.tries > 1
    assert TICKET.lower() in process.seen[-1]["headers"]
    lines = [json.loads(line) for line in (place / "journal.jsonl").read_text().splitlines()]
    statuses = [line["status"] for line in lines if line["path"] == CONFIRM]
    assert statuses == [None] * (answer.tries - 1) + [200]


def test_patience_ends(edge: Edge, place: Path) -> None:
    (answer,) = load(edge, place, [call(edge, "POST", f"{CONFIRM}?full")], patience=0)
    assert (answer.status, answer.tries, answer.good) == (503, 1, False)
