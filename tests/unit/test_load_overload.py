"""Recorded people beside a flood, told by a sender whose answers are planted: who waits for whom, and what is counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.rehearsal.load.caller import Answer, Call
from deploy.rehearsal.load.flood import sign_in_calls, static
from deploy.rehearsal.load.knee import IN_TIME_SECONDS, LEAST_PER_S, knee_beside, taking_turns
from deploy.rehearsal.load.overload import Recorded, recorded

VERSIONS = {f"10663501{n}": "ab" * 32 for n in range(70, 74)}


def passes(username: str, role: str, scope: str) -> dict[str, str]:
    return {"Authorization": f"{username} {role} {scope}"}


class Slow:
    """Every answer takes so many seconds of a clock of its own; a school is confirmed or not, and nobody asks twice at a
    time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asking: set[str] = set()
        self.confirmed: set[str] = set()
        self.sent: list[tuple[str, str]] = []
        self.pages = 0

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def until(self, second: float) -> None:
        await asyncio.sleep(max(0.0, second - self.now()))

    async def send(self, call: Call, due: float) -> Answer:
        began = self.now()
        assert call.who not in self.asking, "one thing at a time"
        self.asking.add(call.who)
        self.sent.append((call.method, call.who))
        await asyncio.sleep(self.seconds)
        self.asking.remove(call.who)
        return Answer(due, began, self.now(), self._status(call), 1, self.now() - began)

    def _status(self, call: Call) -> int:
        if call.method == "POST" and call.path not in self.confirmed:
            self.confirmed.add(call.path)
        elif call.method == "DELETE" and call.path in self.confirmed:
            self.confirmed.remove(call.path)
        else:
            return 409
        return 200

    async def paced(self, calls: list[Call], rate: float) -> list[Answer]:
        assert {call.method for call in calls} == {"GET"}
        self.pages += len(calls)
        await asyncio.sleep(len(calls) / rate)
        return [Answer(0, 0, 1, 200, 1, 9.0) for _ in calls]

    async def every(self, calls: list[Call], *, at_once: int) -> list[Answer]:
        return [await self.send(call, self.now()) for call in calls]


def test_nobody_takes_back_what_was_not_yet_answered_and_it_counts_from_when_it_was_due() -> None:
    slow = Slow(0.2)
    clerk = Call("clerk", "POST", "/1/confirmation"), Call("clerk", "DELETE", "/1/confirmation")
    other = Call("other", "POST", "/2/confirmation")
    first, last, beside = asyncio.run(taking_turns(slow, [*clerk, other], 100))  # type: ignore[arg-type]
    assert [answer.status for answer in (first, last, beside)] == [200, 200, 200]
    assert slow.sent == [("POST", "clerk"), ("POST", "other"), ("DELETE", "clerk")], (
        "the other waits for nobody"
    )
    assert last.due - first.due == pytest.approx(0.01)
    assert last.waited >= 0.39


def test_an_overload_records_acts_and_pages_and_leaves_all_ready() -> None:
    slow = Slow(0.01)
    got = asyncio.run(recorded(slow, VERSIONS, passes, rate=40, seconds=0.5))  # type: ignore[arg-type]
    assert (len(got.acts), len(got.pages), slow.pages) == (20, 2, 2)
    assert got.ended - got.began == pytest.approx(0.5)
    assert slow.confirmed == set()
    assert (got.unserved, got.silent) == (0, 9.0)
    assert 0.9 <= got.goodput <= 1


def test_goodput_is_what_was_answered_well_before_the_last_was_due() -> None:
    def act(done: float, status: int = 200) -> Answer:
        return Answer(0.0, 0.0, done, status, 1, 0.5)

    got = Recorded([act(1.0), act(4.9), act(5.1), act(1.0, 409)], [act(1.0, 503)], 0.0, 5.0)
    assert got.goodput == 0.5
    assert got.unserved == 2
    assert got.silent == 0.5


class Bears(Slow):
    """In time up to a rate of acts beside what comes with them."""

    def __init__(self, rate: float) -> None:
        super().__init__(0.0)
        self.bears, self.rate = rate, 0.0

    async def send(self, call: Call, due: float) -> Answer:
        late = IN_TIME_SECONDS * (0.5 if self.rate <= self.bears else 2)
        return Answer(due, due, due + late, 200, 1, late)

    async def until(self, second: float) -> None:
        return None

    @contextmanager
    def beside(self, rate: float) -> Iterator[None]:
        self.rate = rate
        yield


def test_beside_a_flood_the_knee_is_looked_for_downwards() -> None:
    bears = Bears(70)
    knee = asyncio.run(knee_beside(bears, VERSIONS, passes, 100, bears.beside))  # type: ignore[arg-type]
    assert knee.per_s == 64.0
    assert [step["rate"] for step in knee.steps] == [100, 80, 64]


def test_where_no_rate_is_in_time_there_is_no_knee() -> None:
    bears = Bears(0)
    knee = asyncio.run(knee_beside(bears, VERSIONS, passes, 0, bears.beside))  # type: ignore[arg-type]
    assert (knee.per_s, len(knee.steps), bears.rate) == (0.0, 1, LEAST_PER_S)


def test_few_of_those_who_sign_in_mistype() -> None:
    asked = sign_in_calls({f"clerk-{n}": "a password" for n in range(40)})
    said = [json.loads(call.body) for call in asked]
    assert len(asked) == 82
    assert sum(body["password"] != "a password" for body in said) == 2
    assert sum(body.get("step_up", False) for body in said) == 40


def test_a_static_flood_asks_the_same_of_nobody() -> None:
    (call,) = static([Call("", "GET", "/sign-in", {"X": "y"}, b"z")])
    assert (call.method, call.path, call.headers, call.body) == ("GET", "/internal/sign-in", {"X": "y"}, b"z")
