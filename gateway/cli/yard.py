"""A running stack of its own, how it is asked and watched, and its round opened: what `tabian bench` and `tabian rehearse`
have in common. Not here: what is asked of it.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import httpx
import psycopg

from deploy.rehearsal import truth
from deploy.rehearsal.checker import ByUrl, Verdict, check, settled
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.load.caller import Answer, Call, Caller
from deploy.rehearsal.load.calls import Pass
from deploy.rehearsal.load.knee import STEP_SECONDS
from deploy.rehearsal.nation import TRUTH_FILE
from deploy.rehearsal.scenario import ROUND, wait_for
from gateway.cli.stack import clear, start
from gateway.embedded import free_port
from gateway.portal.tokens import sign
from gateway.stack.compose import Stack, docker
from gateway.stack.secrets import SERVICES
from services.contracts.access import Grant
from services.kit.clock import set_clock
from services.kit.keys import Keys

UPDATING = datetime.fromisoformat("2021-10-15T09:00:00+07:00")
SETTLE_SECONDS = 1800.0
JOURNAL = "journal.jsonl"
_WAITING = "SELECT EXISTS (SELECT FROM upload WHERE state IN ('received', 'checking'))"
LINES = 200
"""Connections over which acts come at a rate."""


class Passes:
    """The headers of people who signed in, and stepped up, a while ago: made once, and again after `lasts` seconds, before
    they end."""

    def __init__(self, sign_in: Pass, lasts: float = 600.0) -> None:
        self._sign_in, self._lasts = sign_in, lasts
        self._held: dict[str, tuple[float, dict[str, str]]] = {}

    def __call__(self, username: str, role: str, scope: str) -> dict[str, str]:
        held = self._held.get(username)
        if held is None or time.monotonic() - held[0] >= self._lasts:
            held = self._held[username] = time.monotonic(), self._sign_in(username, role, scope)
        return held[1]


@dataclass
class Yard:
    """The running stack, what is asked of it, and how it is watched. `step_seconds`: how long one rate of acts is tried."""

    stack: Stack
    nation: Path
    told: truth.Outline
    databases: ByUrl
    journal: Journal
    say: Callable[[str], None]
    step_seconds: float = STEP_SECONDS

    @cached_property
    def keys(self) -> Keys:
        """The stack's keys, read once: a load signs tens of thousands of tokens."""
        return Keys(self.stack.secrets)

    @cached_property
    def passes(self) -> Passes:
        """The headers of a person who signed in, and stepped up, a while ago."""
        return Passes(self._sign_in)

    def _sign_in(self, username: str, role: str, scope: str) -> dict[str, str]:
        grants = [Grant(role, scope)]
        token = sign(self.keys, username=username, name=username, grants=grants, auth_time=int(time.time()))
        return {"Authorization": f"Bearer {token}"}

    def load(self, calls: Iterable[Call], *, at_once: int) -> list[Answer]:
        """The calls, by so many people at once."""

        async def run() -> list[Answer]:
            async with self.caller(lines=at_once) as caller:
                return await caller.every(calls, at_once=at_once)

        return asyncio.run(run())

    def caller(self, *, lines: int, patience: float = 60.0) -> Caller:
        """Who sends to this stack's edge and notes every answer in the journal."""
        certificate = self.stack.secrets / "edge.crt"
        return Caller(self.stack.address, certificate, self.journal, lines=lines, patience=patience)

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until every event was applied by everybody. Over connections that stay: signing in ten times a second would
        take from the system what is measured."""
        with OpenDatabases(self.databases.urls) as databases:
            wait_for(lambda: settled(databases), "everything applied", seconds)

    def await_checked(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until no upload waits to be checked."""
        with OpenDatabases(self.databases.urls) as databases:
            wait_for(lambda: not databases.ask("intake", _WAITING)[0][0], "every roll checked", seconds)

    def verdict(self) -> Verdict:
        """What the checker finds: every answer in the journal held against all databases."""
        return check(self.stack.folder / JOURNAL, self.databases)

    def keep_evidence(self, folder: Path) -> None:
        """Journal and logs outlive the stack, where something was found to be wrong."""
        shutil.copy(self.stack.folder / JOURNAL, folder / JOURNAL)
        (folder / "stack.log").write_text(self.stack.compose("logs", "--no-color", "--timestamps"))

    def metrics(self) -> str:
        """Where the edge tells its metrics, for a watcher on this machine."""
        edge = inner_address(self.stack, "edge")
        return f"http://{edge}:8405/metrics"


class OpenDatabases:
    """Databases that are asked often: each over one connection that stays. Raises ConnectionError where none is had; the
    next question tries again."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._open: dict[str, psycopg.Connection] = {}

    def ask(self, service: str, query: str) -> Sequence[Sequence[Any]]:
        try:
            if service not in self._open:
                self._open[service] = psycopg.connect(self._urls[service], autocommit=True)
            return self._open[service].execute(query.encode()).fetchall()
        except psycopg.OperationalError as problem:
            self._open.pop(service, None)
            raise ConnectionError(f"{service}'s database does not answer") from problem

    def __enter__(self) -> OpenDatabases:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._open.values():
            connection.close()


@contextmanager
def running_yard(
    name: str, folder: Path, nation: Path, say: Callable[[str], None], *, keep: bool
) -> Iterator[Yard]:
    """A stack of this name, started afresh and cleared away afterwards, unless it is to be kept. Raises StackFault, and
    ClickException where `nation` is none."""
    told = outline_of(nation)
    stack = Stack(name, folder, free_port())
    clear(stack)
    try:
        start(stack, say, other={"intake-worker": os.cpu_count() or 1})  # checking is what takes longest
        with Journal(stack.folder / JOURNAL) as journal:
            yield Yard(stack, nation, told, ByUrl(database_urls(stack)), journal, say)
    finally:
        if not keep:
            clear(stack)


def outline_of(nation: Path) -> truth.Outline:
    """The nation's schools and their files. Raises ClickException where the folder is no nation."""
    try:
        return truth.outline(nation / TRUTH_FILE)
    except (OSError, ValueError) as problem:
        raise click.ClickException(
            f"{nation} ไม่ใช่ประเทศจำลองที่สร้างเสร็จ · is no nation that was made to its end: {problem}"
        ) from problem


def open_round(yard: Yard) -> None:
    """Headquarters imports the register and opens the round."""
    set_clock(yard.stack.clock, UPDATING)
    headers = yard.passes("obec", "hq", "*")
    with yard.stack.client() as client:
        register = (yard.nation / "schools.tsv").read_bytes()
        client.put("/api/v1/register", content=register, headers=headers).raise_for_status()
        client.post("/api/v1/rounds", json={"round": ROUND}, headers=headers).raise_for_status()
        path = f"/api/v1/rounds/{ROUND}/schools"
        wait_for(lambda: _known(client, path, headers), "every school known")
    yard.settle()


def _known(client: httpx.Client, path: str, headers: dict[str, str]) -> bool:
    return client.get(path, params={"limit": "1"}, headers=headers).is_success


def statement_of(yard: Yard, school: str) -> str:
    """What a director agrees to, in Thai."""
    headers = yard.passes(f"director-{school}", "director", school)
    with yard.stack.client() as client:
        answer = client.get(f"/api/v1/rounds/{ROUND}/schools/{school}", headers=headers).raise_for_status()
    return str(answer.json()["statement"]["th"])


def database_urls(stack: Stack) -> dict[str, str]:
    """Service → where its database is now: a container has another address after each start."""
    return {name: superuser(stack, f"tabian_{name}") for name in SERVICES}


def superuser(stack: Stack, database: str = "postgres") -> str:
    """The URL of a database on the stack's server, for who may do everything there."""
    at, word = inner_address(stack, "postgres"), (stack.secrets / "postgres.password").read_text().strip()
    return f"postgresql://postgres:{word}@{at}:5432/{database}"


def inner_address(stack: Stack, service: str) -> str:
    """Where a service is on Docker's inner network, which can be reached from its own machine."""
    (container,) = stack.running(service)
    asked = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return docker("inspect", "--format", asked, container.id).strip()


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "processor": _processor() or platform.machine(),
        "memory_gib": round(memory),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }


def _processor() -> str:
    """Its name as Linux tells it; "" elsewhere."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
