"""A small deadline day through a real edge: schools come by the schedule, are told "not yet", come again and are served; a
flood beside them, and samples of how full it is. Behind the edge stands a small intake of the test's own."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.rehearsal.journal import Journal
from deploy.rehearsal.load.caller import Call, Caller
from deploy.rehearsal.load.day import play, send_all
from deploy.rehearsal.load.flood import Flood, flood_calls, sign_in_calls, static
from deploy.rehearsal.load.sampler import Sampler
from deploy.rehearsal.load.schedule import Step, plan_of, schedule
from deploy.rehearsal.load.school_day import Record, Scene, SchoolDay
from deploy.rehearsal.truth import SchoolTruth, Upload
from tests.support.edge import Edge, running_edge
from tests.support.tokens import bearer

CODES = [f"10663501{n}" for n in range(70, 76)]
SCHOOLS = {
    code: SchoolTruth(code, "", "6602", "utf8", 1, 1, uploads=(Upload("roll.csv", "first", "accepted", 1),))
    for code in CODES
}
SHA = "ab" * 32
CHECKED_AFTER = 0.5
_SCHOOL = re.compile(r"/schools/(\d+)(?:/(\w+))?$")


class Intake:
    """Keeps what schools did. A file is checked half a second after it came; then one warning is to be explained."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.explained: set[str] = set()
        self.state: Counter[str] = Counter()
        self.page_seconds = 0.0
        self.lock = threading.Lock()

    def says(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path.endswith(tuple(CODES)):
            time.sleep(self.page_seconds)
        with self.lock:
            if path.startswith("/api/v1/uploads/"):
                return self._upload(path.split("/")[4], path.endswith("/findings"))
            found = _SCHOOL.search(path)
            if found is None:
                return 200, {"schools": []}
            return self._school(found[1], found[2], headers)

    def _upload(self, code: str, findings: bool) -> tuple[int, dict[str, Any]]:
        if findings:
            explained = "yes" if code in self.explained else None
            found = {"rule": "age-grade", "severity": "warning", "key": "k", "explained": explained}
            return 200, {"findings": [found]}
        return 200, {"state": "accepted" if self._checked(code) else "checking"}

    def _school(self, code: str, act: str | None, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if act == "roster":
            self.sent[code] = time.monotonic()
            return 202, {"upload": code}
        if act == "explanations":
            self.explained.add(code)
            return 200, {}
        if act == "confirmation" and (not self._checked(code) or code not in self.explained):
            return 409, {}
        if act == "certification" and not self.state[f"{code} confirmation"]:
            return 409, {}
        if act is not None:
            if headers.get("if-match") != f'"{SHA}"':
                return 412, {}
            self.state[f"{code} {act}"] += 1
            return 200, {"receipt": {"signature": f"{code}-{act}", "payload": {"act": act}}}
        unexplained = int(self._checked(code) and code not in self.explained)
        page = {
            "sha256": SHA if self._checked(code) else None,
            "cases": [],
            "statement": {"th": "ข้าพเจ้าขอรับรอง"},
        }
        return 200, {**page, "findings": {"unexplained": unexplained}, "current_upload": code}

    def _checked(self, code: str) -> bool:
        return code in self.sent and time.monotonic() - self.sent[code] > CHECKED_AFTER


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day")
    (folder / "roll.csv").write_bytes(b"a roll\n")
    return folder


@pytest.fixture(scope="module")
def edge(place: Path) -> Iterator[Edge]:
    with running_edge(place) as running:
        yield running


@pytest.fixture
def intake(edge: Edge) -> Iterator[Intake]:
    desk = Intake()
    processes = [edge.processes["intake-api"], edge.processes["intake-uploads"]]
    for process in processes:
        process.says = desk.says
    yield desk
    for process in processes:
        process.says = None


class Play:
    """A day on that edge: its records, and what the schools that are not served are."""

    def __init__(self, edge: Edge, place: Path) -> None:
        self.records: list[Record] = []
        self._edge, self._place = edge, place

    def passes(self, username: str, role: str, scope: str) -> dict[str, str]:
        return bearer(self._edge.keys, username, (role, scope))

    def run(
        self, steps: Sequence[Step], until: float = 30, *, prepared: Callable[[], None] | None = None
    ) -> list[str]:
        """Returns the schools that were not served. With `prepared`, every file is sent before, and then that is called."""

        async def day() -> list[str]:
            with Journal(self._place / "journal.jsonl") as journal:
                address = str(self._edge.public.base_url)
                certificate = self._place / "secrets" / "edge.crt"
                async with Caller(address, certificate, journal, lines=20) as caller:
                    scene = Scene(caller, self._place, self.passes, self.records.append, until)
                    days = {code: SchoolDay(school, 1) for code, school in SCHOOLS.items()}
                    if prepared is not None:
                        await send_all(scene, days)
                        prepared()
                    return await play(scene, days, steps)

        return asyncio.run(day())

    def count(self, kind: str, *statuses: int) -> int:
        return sum(r.kind == kind and (not statuses or r.answer.status in statuses) for r in self.records)


def test_a_day_of_few_schools_ends_with_everybody_served(edge: Edge, place: Path, intake: Intake) -> None:
    steps = schedule(plan_of("last-minute", len(CODES), 1, minutes=0.1), CODES, ["6602"])
    played = Play(edge, place)
    assert played.run(steps) == []
    acts = Counter({f"{code} {act}": 1 for code in CODES for act in ("confirmation", "certification")})
    assert intake.state == acts, "everybody once"
    assert played.count("upload", 202) == played.count("confirm", 200) == played.count("certify", 200) == 6
    assert played.count("progress", 200) == 10
    lines = (place / "journal.jsonl").read_text().splitlines()
    signatures = [json.loads(line)["got"].get("signature") for line in lines]
    assert {f"{code}-certification" for code in CODES} <= set(signatures), "the checker hears of it"


def test_who_presses_too_early_is_told_so_sees_to_it_and_comes_again(
    edge: Edge, place: Path, intake: Intake
) -> None:
    code = CODES[0]
    steps = [Step(0.0, code, "upload"), Step(0.1, code, "confirm"), Step(0.1, code, "certify")]
    played = Play(edge, place)
    assert played.run(steps) == CODES[1:], "the others never came"
    assert played.count("confirm", 409) >= 1
    assert played.count("mend", 200) == 1
    assert intake.state[f"{code} certification"] == 1
    first, *_, last = [r.answer for r in played.records if r.kind == "confirm"]
    assert first.due == 0.1, "due by the schedule, whenever the sender came to it"
    assert last.due > first.done, "coming again is counted anew"
    (certify,) = [r.answer for r in played.records if r.kind == "certify"]
    assert certify.due == pytest.approx(last.done, abs=0.05), "there was nothing to certify before"


def test_a_slow_page_holds_up_no_act_of_who_has_seen_the_roll(
    edge: Edge, place: Path, intake: Intake
) -> None:
    played = Play(edge, place)
    code = CODES[1]

    def slow() -> None:
        intake.page_seconds = 1.5

    steps = [
        Step(6.0, code, "look"),
        Step(6.1, code, "confirm"),
        Step(6.2, code, "read"),
        Step(6.3, code, "certify"),
    ]
    played.run(steps, prepared=slow)
    acts = [r.answer for r in played.records if r.kind in ("confirm", "certify")]
    assert [round(act.due, 1) for act in acts] == [6.1, 6.3]
    assert max(act.waited for act in acts) < 1.0
    assert max(r.answer.waited for r in played.records if r.kind == "look") > 1.4


def test_nobody_tries_for_ever(edge: Edge, place: Path, intake: Intake) -> None:
    steps = [Step(0.0, CODES[2], "certify")]
    played = Play(edge, place)
    assert CODES[2] in played.run(steps, until=2)
    assert 1 <= played.count("certify", 409) <= 3


def test_before_an_overload_every_file_is_sent_and_checked(edge: Edge, place: Path, intake: Intake) -> None:
    played = Play(edge, place)
    played.run([], prepared=lambda: None)
    assert sorted(intake.sent) == CODES
    assert intake.explained == set(CODES)


def test_a_flood_comes_at_about_its_rate_and_changes_nothing(edge: Edge, place: Path, intake: Intake) -> None:
    asked = flood_calls(CODES, Play(edge, place).passes)
    with Flood(str(edge.public.base_url), asked, rate=30, seconds=4, folder=place) as flood:
        got = flood.result()
    assert 15 < got.per_s < 45
    assert set(got.statuses) == {"200", "409"}, "the page, and an act that is refused"
    assert sum(got.statuses.values()) == got.requests
    assert (got.broken, intake.state) == (0, Counter())
    assert edge.processes["portal"].seen[-1]["path"] == "/sign-in"


def test_a_flood_of_sign_ins_carries_its_passwords(edge: Edge, place: Path) -> None:
    process = edge.processes["portal-sign-in"]
    process.seen.clear()
    asked = sign_in_calls({"clerk": "a password"})
    with Flood(str(edge.public.base_url), asked, rate=5, seconds=2, folder=place, held=5) as flood:
        assert set(flood.result().statuses) == {"200"}
    assert {seen["bytes"] for seen in process.seen} >= {len(asked[0].body), len(asked[1].body)}


def test_a_static_flood_reaches_nobody(edge: Edge, place: Path) -> None:
    asked = static(flood_calls(CODES, Play(edge, place).passes))
    before = {name: len(process.seen) for name, process in edge.processes.items()}
    with Flood(str(edge.public.base_url), asked, rate=20, seconds=2, folder=place) as flood:
        assert set(flood.result().statuses) == {"404"}
    assert {name: len(process.seen) for name, process in edge.processes.items()} == before


class Waiting:
    """Databases in which so many files and events wait, and which are away once."""

    def __init__(self) -> None:
        self.asked = 0

    def ask(self, service: str, query: str) -> Sequence[Sequence[Any]]:
        self.asked += 1
        if self.asked == 1:
            raise ConnectionError("away")
        return [(3,)] if "upload" in query else [({"intake": 2}.get(service, 0),)]


def test_samples_tell_who_waits_at_the_edge_and_what_waits_inside(edge: Edge, place: Path) -> None:
    began = time.monotonic()
    confirm = f"/api/v1/rounds/2564-2/schools/{CODES[0]}/confirmation?slow"
    slow = [Call("", "POST", confirm, Play(edge, place).passes("c", "hq", "*"))]

    async def load() -> None:
        with Journal(place / "queued.jsonl") as journal:
            address, certificate = str(edge.public.base_url), place / "secrets" / "edge.crt"
            async with Caller(address, certificate, journal, lines=60) as caller:
                await caller.every(slow * 60, at_once=60)

    with Sampler(edge.metrics, Waiting(), lambda: time.monotonic() - began) as sampler:
        asyncio.run(load())
    assert 1 <= len(sampler.samples) <= 6, "one a second, but for the one that found nobody"
    assert max(sample.queues["intake-api"] for sample in sampler.samples) > 8
    assert {sample.uploads for sample in sampler.samples} == {3}
    assert sampler.samples[0].outbox == {"intake": 2, "dedup": 0, "snapshot": 0, "buildings": 0, "export": 0}
