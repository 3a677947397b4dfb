"""What a load's measures ask for, and what they make of the answers, told by a sender whose answers are planted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.rehearsal.load import idle
from deploy.rehearsal.load.caller import Answer, Call
from deploy.rehearsal.load.idle import waits_alone
from deploy.rehearsal.load.knee import IN_TIME_SECONDS, Knee, find_knee
from deploy.rehearsal.truth import SchoolTruth, Upload

VERSIONS = {f"10663501{n}": "ab" * 32 for n in range(70, 90)}


def passes(username: str, role: str, scope: str) -> dict[str, str]:
    return {"Authorization": f"{username} {role} {scope}"}


class Planted:
    """Answers in time up to a rate, late above it, and late also in the steps (counted from 0) that are `disturbed`."""

    def __init__(self, bears: float, status: int = 200, disturbed: Sequence[int] = ()) -> None:
        self.bears, self.status, self.disturbed = bears, status, disturbed
        self.rates: list[float] = []
        self.asked: list[Call] = []
        self.settled_after: list[int] = []
        self.confirmed: set[str] = set()

    def now(self) -> float:
        """A load begins."""
        self.dues: list[float] = []
        return 0.0

    async def until(self, second: float) -> None:
        self.dues.append(second)

    async def send(self, call: Call, due: float) -> Answer:
        if due == 0.0:
            self.rates.append(round((len(self.dues) - 1) / self.dues[-1], 6))
        in_time = self.rates[-1] <= self.bears and len(self.rates) - 1 not in self.disturbed
        self._keep(call)
        waited = IN_TIME_SECONDS * (0.5 if in_time else 2)
        return Answer(due, due, due + waited, self.status, 1)

    async def every(self, calls: Sequence[Call], *, at_once: int) -> list[Answer]:
        assert at_once > 1
        self.asked += calls
        return []

    def settle(self) -> None:
        self.settled_after.append(len(self.rates))

    def knee(self) -> Knee:
        return asyncio.run(find_knee(self, VERSIONS, passes, settle=self.settle))  # type: ignore[arg-type]

    def _keep(self, call: Call) -> None:
        if call.method == "POST":
            assert call.path not in self.confirmed, "a school confirms what it has not taken back"
            self.confirmed.add(call.path)
        else:
            self.confirmed.remove(call.path)


def test_the_knee_lies_between_the_last_rate_in_time_and_the_first_that_was_not() -> None:
    sender = Planted(bears=100)
    found = sender.knee()
    assert [step["rate"] for step in found.steps] == [40, 60, 90, 135, 135, 110, 110, 100, 105, 105]
    assert sender.settled_after == [4, 5, 6, 7, 9, 10], "nothing is left of a step that failed"
    assert found.acts == sum(step["answers"] for step in found.steps) + len(VERSIONS)
    assert found.per_s == pytest.approx(100, rel=0.06)
    assert found.per_s <= 100
    assert {call.method for call in sender.asked} == {"DELETE"}
    assert len(sender.asked) == len(VERSIONS)


@pytest.mark.parametrize("bears", [41, 59, 61, 240, 1000])
def test_the_knee_is_told_to_five_in_a_hundred(bears: float) -> None:
    assert 0.94 * bears <= Planted(bears).knee().per_s <= bears


def test_one_disturbed_step_ends_no_search() -> None:
    steady = Planted(bears=100).knee()
    disturbed = Planted(bears=100, disturbed=(0, 3, 8)).knee()
    assert disturbed.per_s == steady.per_s
    assert [step["rate"] for step in disturbed.steps].count(40) == 2


def test_an_act_that_fails_twice_ends_the_search_and_is_taken_back() -> None:
    sender = Planted(bears=1000, status=409)
    found = sender.knee()
    assert (found.per_s, sender.rates) == (0.0, [40, 40])
    assert len(sender.asked) == 3 * len(VERSIONS), "after each of two steps, and at the end"


class OneSchool:
    """A page that shows the new version after some looks, and its screening after some more."""

    def __init__(self, version_after: int, screened_after: int) -> None:
        self.version_after, self.screened_after = version_after, screened_after
        self.sent: list[bytes] = []
        self.looks = self.seconds = 0

    def now(self) -> float:
        return float(self.seconds)

    async def ask(self, call: Call, due: float) -> tuple[Answer, bytes]:
        self.seconds += 1
        if call.method == "PUT":
            self.sent.append(call.body)
            self.looks = 0
            return Answer(due, due, due, 202, 1), b"{}"
        self.looks += 1
        new = bool(self.sent) and self.looks > self.version_after
        shown: dict[str, Any] = {"sha256": "new" if new else "old"}
        shown["screening"] = {"compared_with": 1} if new and self.looks > self.screened_after else None
        return Answer(due, due, due, 200, 1), json.dumps(shown).encode()


def schools(folder: Path, *bodies: bytes) -> list[SchoolTruth]:
    made = []
    for number, body in enumerate(bodies):
        name = f"{number}.csv"
        (folder / name).write_bytes(body)
        upload = Upload(name, "first", "accepted", 1)
        made.append(SchoolTruth(f"106635017{number}", "", "6602", "utf8", 1, 1, uploads=(upload,)))
    return made


def test_alone_one_waits_until_version_and_screening_are_seen(tmp_path: Path) -> None:
    text = b"".join(b"line %d\r\n" % n for n in range(12))
    given = schools(tmp_path, b"PK\x03\x04" + text, "\ufeffa".encode("utf-16"), b"a\nb\n", text, text)
    sender = OneSchool(version_after=2, screened_after=4)
    waited = asyncio.run(waits_alone(sender, tmp_path, given, passes, number=1))  # type: ignore[arg-type]
    assert waited == [6.0], "the file and five looks, a second each"
    assert sender.sent == [text.removesuffix(b"line 11\r\n")]


def test_who_waits_in_vain_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "_LONGEST_SECONDS", 5.0)
    sender = OneSchool(version_after=2, screened_after=10_000)
    with pytest.raises(TimeoutError):
        asyncio.run(
            waits_alone(sender, tmp_path, schools(tmp_path, b"x\n" * 12), passes, number=1)  # type: ignore[arg-type]
        )
