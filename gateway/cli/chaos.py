"""`tabian chaos`: the whole round on a stack of containers while its processes are killed, frozen, restarted and cut off
at seeded random moments; afterwards a checker holds every answer that was given against all databases."""

from __future__ import annotations

import json
import random
import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from deploy.rehearsal.checker import Verdict, check, settled
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.play import play
from deploy.rehearsal.scenario import Stage, wait_for
from gateway.cli.result import write_json
from gateway.cli.stack import clear, enrol, start
from gateway.cli.stage import make_demo_nation, plain_lines
from gateway.embedded import free_port
from gateway.stack.compose import Stack, StackFault
from gateway.stack.mischief import Mischief, commit, every_mischief
from services.kit.clock import set_clock

FOLDER = Path(".tabian/chaos")
PAUSE_SECONDS = (0.2, 1.0)
AT_ONCE = 2


@dataclass
class ChaosSummary:
    """What all seeds came to. `faults`: what the play or the stack found wrong besides the checker's lists."""

    seeds: list[int] = field(default_factory=list)
    kinds_hit: list[str] = field(default_factory=list)
    accepted: int = 0
    applied: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    recovered_seconds_max: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        self.accepted += verdict.accepted
        self.applied += verdict.applied
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.unexpected += verdict.unexpected

    def plain(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "kinds_hit": sorted(set(self.kinds_hit)),
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "unexpected": len(self.unexpected),
            "what": [*self.lost, *self.doubled, *self.unexpected],
        }

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.unexpected or self.faults)


@dataclass(frozen=True)
class InContainer:
    """The databases of a stack, asked by psql inside its PostgreSQL: they listen to nobody outside."""

    stack: Stack

    def ask(self, service: str, query: str) -> Sequence[Sequence[Any]]:
        wrapped = f"SELECT coalesce(json_agg(t), '[]'::json) FROM ({query}) t"
        words = (
            "exec",
            "-T",
            "-u",
            "postgres",
            "postgres",
            "psql",
            "-XAt",
            "-d",
            f"tabian_{service}",
            "-c",
            wrapped,
        )
        return [tuple(row.values()) for row in json.loads(self.stack.compose(*words))]


class Trouble:
    """Does one mischief after another, AT_ONCE at a time, until it is stopped."""

    def __init__(
        self, stack: Stack, plan: Sequence[Mischief], dice: random.Random, summary: ChaosSummary
    ) -> None:
        self._stack, self._dice, self._summary = stack, dice, summary
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(plan[number::AT_ONCE],), daemon=True)
            for number in range(AT_ONCE)
        ]

    def __enter__(self) -> Trouble:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, plan: Sequence[Mischief]) -> None:
        for mischief in plan:
            if self._stop.wait(self._dice.uniform(*PAUSE_SECONDS)):
                return
            try:
                seconds = commit(self._stack, mischief)
            except (StackFault, ProcessLookupError) as problem:
                self._summary.faults.append(str(problem))
                continue
            self._summary.kinds_hit.append(mischief.name)
            longest = max(self._summary.recovered_seconds_max, round(seconds, 1))
            self._summary.recovered_seconds_max = longest


@click.command()
@click.option(
    "--seeds", type=int, default=5, show_default=True, help="so many rounds, each with other moments"
)
@click.option("--first-seed", type=int, default=1, show_default=True)
@click.option("--schools", type=int, default=60, show_default=True, help="schools of ESA 6602 that play")
@click.option("--json", "json_file", type=click.Path(path_type=Path), default=FOLDER / "summary.json")
def chaos(seeds: int, first_seed: int, schools: int, json_file: Path) -> None:
    """Play rounds on a stack that is being broken, and prove that nothing accepted was lost or doubled."""
    say, summary = plain_lines(), ChaosSummary()
    nation = make_demo_nation(json_file.parent, esa="6602", schools=schools, seed=2564)
    for seed in range(first_seed, first_seed + seeds):
        say(f"seed {seed}")
        summary.seeds.append(seed)
        _one(json_file.parent, nation, seed, summary, say)
        write_json(json_file, summary.plain())
    click.echo(json.dumps(summary.plain(), indent=2, ensure_ascii=False))
    sys.exit(0 if summary.sound else 1)


def _one(folder: Path, nation: Path, seed: int, summary: ChaosSummary, say: Callable[[str], None]) -> None:
    here = Stack("tabian-chaos", folder / "stack", free_port())
    dice = random.Random(seed)
    clear(here)
    try:
        start(here, say)
        plan = every_mischief(sorted({c.service for c in here.containers()}))
        dice.shuffle(plan)
        passwords = enrol(here, nation, secrets.token_urlsafe(12))
        book = here.folder / "journal.jsonl"
        with here.client() as client, Journal(book) as journal:
            stage = Stage(
                client, nation, passwords, lambda at: set_clock(here.clock, at), say, journal=journal
            )
            with Trouble(here, plan, dice, summary):
                played = play(stage)
        summary.faults += [f"seed {seed}: {fault}" for fault in played.faults]
        here.wait()
        databases = InContainer(here)
        began = time.monotonic()
        wait_for(lambda: settled(databases), "every event applied or parked", 240)
        say(f"  settled after {time.monotonic() - began:.0f} s")
        summary.add(check(book, databases))
    finally:
        (folder / f"stack-{seed}.log").write_text(here.compose("logs", "--no-color", "--timestamps"))
        clear(here)
