"""`tabian bench`: the stack under the load of a part of the country, measured: rolls in, and acts.

Starts a stack of its own. The figures are of this machine, with who makes the load on it. Not here: what they should be
(docs/benchmarks.md).
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import httpx

from deploy.rehearsal import truth
from deploy.rehearsal.checker import ByUrl, check, settled
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.load.caller import Answer, Call, Caller
from deploy.rehearsal.load.calls import certifications, confirmations, rolls
from deploy.rehearsal.load.figures import outcome
from deploy.rehearsal.scenario import ROUND, wait_for
from gateway.cli.result import write_json
from gateway.cli.stack import MORNING, clear, start
from gateway.cli.stage import make_demo_nation, plain_lines
from gateway.embedded import free_port
from gateway.portal.tokens import sign
from gateway.stack.compose import Stack, cpu_seconds, docker
from gateway.stack.secrets import SERVICES
from services.contracts.access import Grant
from services.kit.clock import set_clock
from services.kit.keys import Keys

FOLDER = Path(".tabian/bench")
UPDATING = datetime.fromisoformat("2021-10-15T09:00:00+07:00")
LINES = 24
"""Clerks who send at once: more fill the edge's queue, fewer leave a core idle."""
SETTLE_SECONDS = 1800.0


@dataclass
class Yard:
    """The running stack, what is asked of it, and how it is watched."""

    stack: Stack
    nation: Path
    told: truth.Truth
    databases: ByUrl
    journal: Journal
    say: Callable[[str], None]

    def passes(self, username: str, role: str, scope: str) -> dict[str, str]:
        """The headers of a person who signed in, and stepped up, a moment ago."""
        keys = Keys(self.stack.secrets)
        grants = [Grant(role, scope)]
        token = sign(keys, username=username, name=username, grants=grants, auth_time=int(time.time()))
        return {"Authorization": f"Bearer {token}"}

    def load(self, calls: list[Call], *, at_once: int = 0, rate: float = 0.0) -> list[Answer]:
        """The calls, by so many people at once or at a rate."""

        async def run() -> list[Answer]:
            certificate = self.stack.secrets / "edge.crt"
            async with Caller(self.stack.address, certificate, self.journal, lines=at_once or 200) as caller:
                return await (caller.paced(calls, rate) if rate else caller.every(calls, at_once=at_once))

        return asyncio.run(run())

    def settle(self) -> None:
        wait_for(lambda: settled(self.databases), "everything applied", SETTLE_SECONDS)


@click.command()
@click.option("--schools", default=1479, show_default=True, help="so many schools (5 % of the country)")
@click.option("--rate", default=300.0, show_default=True, help="acts a second")
@click.option("--keep", is_flag=True, help="leave the stack running afterwards")
@click.option("--json", "json_file", type=click.Path(path_type=Path), default=FOLDER / "summary.json")
def bench(schools: int, rate: float, keep: bool, json_file: Path) -> None:
    """Measure a stack of its own under load. Fails if anything was lost, and for no figure."""
    say = plain_lines()
    nation = make_demo_nation(json_file.parent, esa=None, schools=schools, seed=2564)
    stack = Stack("tabian-bench", json_file.parent / "stack", free_port())
    clear(stack)
    try:
        start(stack, say)
        with Journal(stack.folder / "journal.jsonl") as journal:
            told = truth.load(nation / "truth.json")
            yard = Yard(stack, nation, told, ByUrl(_urls(stack)), journal, say)
            summary = {"machine": _machine(), "schools": schools}
            _open(yard)
            summary |= measure_rolls(yard)
            summary |= measure_acts(yard, rate)
            verdict = check(stack.folder / "journal.jsonl", yard.databases)
        summary |= {name: len(getattr(verdict, name)) for name in ("lost", "doubled", "unexpected")}
        write_json(json_file, summary)
        click.echo(json_file.read_text())
    finally:
        if not keep:
            clear(stack)
    sys.exit(0 if verdict.sound else 1)


def measure_rolls(yard: Yard) -> dict[str, Any]:
    """Every school sends its roll; the time is until the last is checked, stored and screened."""
    calls = list(rolls(yard.nation, yard.told.schools.values(), yard.passes))
    before, began = cpu_seconds(yard.stack.running()), time.monotonic()
    answers = yard.load(calls, at_once=LINES)
    taken = time.monotonic() - began
    wait_for(lambda: _checked(yard), "every roll checked", SETTLE_SECONDS)
    checked = time.monotonic() - began
    yard.settle()
    seconds = time.monotonic() - began
    pupils = yard.databases.ask("intake", "SELECT sum(pupils) FROM submission")[0][0]
    yard.say(
        f"  {len(calls)} rolls, {pupils} pupils: taken {taken:.1f} s, checked {checked:.1f} s, applied {seconds:.1f} s"
    )
    return {
        "intake_students_per_s": round(pupils / seconds),
        "intake_seconds": {
            "taken": round(taken, 1),
            "checked": round(checked, 1),
            "applied": round(seconds, 1),
        },
        "intake_cpu_seconds": _spent(before, cpu_seconds(yard.stack.running())),
        "uploads": outcome(answers),
    }


def measure_acts(yard: Yard, rate: float) -> dict[str, Any]:
    """Every school that is ready confirms and certifies, the acts coming at a fixed rate."""
    set_clock(yard.stack.clock, MORNING)
    ready = f"SELECT school, sha256 FROM submission WHERE round = '{ROUND}' AND state = 'ready'"
    versions = {school: sha256 for school, sha256 in yard.databases.ask("intake", ready)}
    statement = _statement(yard, next(iter(versions)))
    calls = [
        *confirmations(versions, yard.passes),
        *certifications(versions, statement, yard.passes),
    ]
    before = cpu_seconds(yard.stack.running())
    answers = yard.load(calls, rate=rate)
    yard.settle()
    figures = outcome(answers)
    yard.say(f"  {len(calls)} acts: {figures}")
    return {
        "acts_rate": rate,
        "acts_p99_s": figures["p99_s"],
        "acts": figures,
        "acts_cpu_seconds": _spent(before, cpu_seconds(yard.stack.running())),
    }


def _open(yard: Yard) -> None:
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


def _statement(yard: Yard, school: str) -> str:
    headers = yard.passes(f"director-{school}", "director", school)
    with yard.stack.client() as client:
        answer = client.get(f"/api/v1/rounds/{ROUND}/schools/{school}", headers=headers).raise_for_status()
    return str(answer.json()["statement"]["th"])


def _checked(yard: Yard) -> bool:
    waiting = "SELECT count(*) FROM upload WHERE state IN ('received', 'checking')"
    return bool(yard.databases.ask("intake", waiting)[0][0] == 0)


def _urls(stack: Stack) -> dict[str, str]:
    """The databases, for a watcher on this machine: Docker's inner networks can be reached from it."""
    (server,) = stack.running("postgres")
    at = docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", server.id)
    word = (stack.secrets / "postgres.password").read_text().strip()
    return {name: f"postgresql://postgres:{word}@{at.strip()}:5432/tabian_{name}" for name in SERVICES}


def _spent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    spent = {name: round(after[name] - before.get(name, 0.0), 1) for name in after}
    return dict(sorted(spent.items(), key=lambda item: -item[1]))


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()}
