"""One stack for all of these tests: two of every process, schools with their rolls sent and their duplicates settled, on
the morning of the day of confirming. Run by `make e2e`; needs Docker.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.rehearsal.checker import check, settled
from deploy.rehearsal.collecting import open_rounds, school_path, settle_duplicates, upload_all
from deploy.rehearsal.deciding import ready
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.scenario import Cast, Stage, cast, wait_for
from gateway.cli.chaos import InContainer
from gateway.cli.stack import MORNING, clear, enrol, start
from gateway.cli.stage import make_demo_nation
from gateway.embedded import free_port
from gateway.stack.compose import Stack, docker
from services.kit.clock import set_clock
from tests.support.watched import Watched

FOLDER = Path(".tabian/e2e")
SCHOOLS = 60
SETTLE_SECONDS = 600.0


@dataclass
class Scene:
    """The running stack and its people. Each test takes schools of its own."""

    stack: Stack
    stage: Stage
    people: Cast
    databases: InContainer
    _left: list[str] = field(default_factory=list)

    def take(self, count: int) -> list[str]:
        """Schools that no other test has or had."""
        taken, self._left = self._left[:count], self._left[count:]
        assert len(taken) == count, "more schools are needed: SCHOOLS"
        return taken

    @contextmanager
    def frozen(self, *services: str) -> Iterator[None]:
        """Every process of these services stands still meanwhile."""
        ids = [c.id for c in self.stack.running(*services)]
        docker("pause", *ids)
        try:
            yield
        finally:
            docker("unpause", *ids)

    @contextmanager
    def stopped(self, *services: str) -> Iterator[None]:
        """No process of these services runs meanwhile."""
        ids = [c.id for c in self.stack.running(*services)]
        docker("stop", "--time", "15", *ids)
        try:
            yield
        finally:
            docker("start", *ids)

    def roll(self, code: str) -> bytes:
        """The last roll the school sent."""
        last = [upload for upload in self.people.truth.schools[code].uploads if upload.expect == "accepted"][
            -1
        ]
        return (self.stage.nation / last.file).read_bytes()

    def send_roll(self, code: str, content: bytes) -> dict[str, Any]:
        """The clerk sends it as a CSV file; returns the upload when it is checked."""
        return self.people.clerks[code].upload(school_path(code, "/roster"), content, f"{code}.csv")

    def ready(self, code: str) -> dict[str, Any]:
        """The school as its clerk sees it, once it can be confirmed."""
        return wait_for(lambda: ready(self.people, code), f"{code} ready")

    def ask(self, service: str, query: str) -> list[Any]:
        """The first column of what one of the databases answers."""
        return [row[0] for row in self.databases.ask(service, query)]

    def note(self, answer: httpx.Response) -> None:
        """An answer to one who asked without a Person, for the checker."""
        assert self.stage.journal is not None
        self.stage.journal.answer("test", answer)

    def wait_whole(self) -> None:
        """Until every event was applied; then what was accepted must be there, once, and nothing else."""
        wait_for(lambda: settled(self.databases), "everything applied", SETTLE_SECONDS)
        verdict = check(self.stack.folder / "journal.jsonl", self.databases)
        assert (verdict.lost, verdict.doubled, verdict.unexpected) == ([], [], [])


def _quiet(_: str) -> None:
    return None


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    nation = make_demo_nation(FOLDER, esa="6602", schools=SCHOOLS, seed=2564)
    stack = Stack("tabian-test", FOLDER / "test-stack", free_port())
    clear(stack)
    try:
        start(stack, _quiet, each=2)
        with stack.client() as client, Journal(stack.folder / "journal.jsonl") as journal:
            passwords = enrol(stack, nation, secrets.token_urlsafe(12))
            stage = Stage(client, nation, passwords, partial(set_clock, stack.clock), _quiet, journal=journal)
            people = cast(stage)
            for act in (open_rounds, upload_all, settle_duplicates):
                act(stage, people)
            stage.set_clock(MORNING)
            assert stage.summary.faults == []
            yield Scene(stack, stage, people, InContainer(stack), _plain(people))
    finally:
        FOLDER.joinpath("test-stack.log").write_text(stack.compose("logs", "--no-color", "--timestamps"))
        clear(stack)


def _plain(people: Cast) -> list[str]:
    """The schools without a duplicate, whose last file is a CSV."""
    concerned = {code for d in people.truth.duplicates for code in (d.true_school, d.false_school)}
    return [
        code
        for code, told in sorted(people.truth.schools.items())
        if told.pupils and code not in concerned and told.uploads[-1].file.endswith(".csv")
    ]


@pytest.fixture(scope="module")
def watched(scene: Scene) -> Iterator[Watched]:
    places = (scene.stack.published("prometheus", 9090), scene.stack.published("alertmanager", 9093))
    with httpx.Client(base_url=places[0], timeout=30) as one, httpx.Client(base_url=places[1]) as other:
        yield Watched(one, other)
