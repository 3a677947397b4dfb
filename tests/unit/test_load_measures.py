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
from deploy.rehearsal.load.knee import IN_TIME_SECONDS, find_knee
from deploy.rehearsal.truth import SchoolTruth, Upload

VERSIONS = {f"10663501{n}": "ab" * 32 for n in range(70, 90)}


def passes(username: str, role: str, scope: str) -> dict[str, str]:
    return {"Authorization": f"{username} {role} {scope}"}


class Planted:
    """Answers in time up to a rate, late above it."""

    def __init__(self, bears: float, status: int = 200) -> None:
        self.bears, self.status = bears, status
        self.rates: list[float] = []
        self.asked: list[Call] = []
        self.confirmed: set[str] = set()

    async def paced(self, calls: Sequence[Call], rate: float) -> list[Answer]:
        self.rates.append(rate)
        for call in calls:
            self._keep(call)
        late = IN_TIME_SECONDS * (0.5 if rate <= self.bears else 2)
        return [Answer(n / rate, n / rate, n / rate + late, self.status, 1) for n, _ in enumerate(calls)]

    async def every(self, calls: Sequence[Call], *, at_once: int) -> list[Answer]:
        assert at_once > 1
        self.asked += calls
        return []

    def _keep(self, call: Call) -> None:
        if call.method == "POST":
            assert call.path not in self.confirmed, "a school confirms what it has not taken back"
            self.confirmed.add(call.path)
        else:
            self.confirmed.remove(call.path)


def test_the_knee_is_the_last_rate_at_which_all_were_in_time() -> None:
    sender = Planted(bears=100)
    knee = asyncio.run(find_knee(sender, VERSIONS, passes))  # type: ignore[arg-type]
    assert knee.per_s == 97.7
    assert sender.rates == [40 * 1.25**n for n in range(6)]
    assert [step["rate"] for step in knee.steps] == [40, 50, 62, 78, 98, 122]
    assert {call.method for call in sender.asked} == {"DELETE"}
    assert len(sender.asked) == len(VERSIONS)


def test_an_act_that_fails_ends_the_search() -> None:
    knee = asyncio.run(find_knee(Planted(bears=1000, status=409), VERSIONS, passes))  # type: ignore[arg-type]
    assert (knee.per_s, len(knee.steps)) == (0.0, 1)


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
