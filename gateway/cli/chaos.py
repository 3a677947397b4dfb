"""`tabian chaos`: the whole round on a stack of containers while its processes are killed, frozen, restarted and cut off
at seeded random moments, and kill themselves at their crash points; afterwards a checker holds every answer that was
given against all databases.
"""

from __future__ import annotations

import json
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from deploy.rehearsal.checker import Verdict, check, settled
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.play import play
from deploy.rehearsal.scenario import Stage, wait_for
from gateway.cli.result import write_json
from gateway.cli.stack import clear, enrol, start
from gateway.cli.stage import make_demo_nation, plain_lines
from gateway.embedded import free_port
from gateway.stack.compose import Stack
from gateway.stack.crashes import Crash, arm, crashed, every_crash
from gateway.stack.mischief import Mischief, every_mischief, whole
from gateway.stack.trouble import Trouble
from services.kit.clock import set_clock

FOLDER = Path(".tabian/chaos")
SHARES = 5
"""Everything that can be done is spread over so many seeds: a round is too short for all of it."""
PATIENCE = 5.0
SETTLE_SECONDS = 600
Wrong = TypeVar("Wrong", Mischief, Crash)


@dataclass
class ChaosSummary:
    """What all seeds came to. `faults`: what the play or the stack found wrong besides the checker's lists."""

    seeds: list[int] = field(default_factory=list)
    kinds_hit: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
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
            "seeds": self.seeds,
            "kinds_hit": sorted(self.kinds_hit),
            "kinds_missed": sorted(self.kinds - self.kinds_hit),
            "accepted": self.accepted,
            "applied": self.applied,
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "unexpected": len(self.unexpected),
            "what": [*self.lost, *self.doubled, *self.unexpected],
            "recovered_seconds_max": self.recovered_seconds_max,
            "faults": self.faults,
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
        psql = ("psql", "-XAt", "-d", f"tabian_{service}", "-c", wrapped)
        answer = self.stack.compose("exec", "-T", "-u", "postgres", "postgres", *psql)
        return [tuple(row.values()) for row in json.loads(answer)]


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


def names(kinds: Iterable[Mischief], crashes: Iterable[Crash]) -> set[str]:
    return {kind.name for kind in kinds} | {crash.name for crash in crashes}


def share(items: Iterable[Wrong], seed: int) -> list[Wrong]:
    """The part of the items that the round of this seed must come to; SHARES seeds in a row come to all of them."""
    mixed = list(items)
    random.Random(SHARES).shuffle(mixed)
    return mixed[seed % SHARES :: SHARES]


def _one(folder: Path, nation: Path, seed: int, summary: ChaosSummary, say: Callable[[str], None]) -> None:
    dice, place, crashes = random.Random(seed), folder / "stack", every_crash()
    clear(Stack("tabian-chaos", place, free_port()))
    own_crashes = share(crashes, seed)
    here = Stack("tabian-chaos", place, free_port(), over=(arm(place, own_crashes, dice),))
    try:
        start(here, say)
        kinds = every_mischief(sorted({c.service for c in here.containers()}))
        summary.kinds |= names(kinds, crashes)
        own_kinds = share(kinds, seed)
        trouble = Trouble(here, own_kinds, dice)
        _played(here, nation, seed, trouble, summary, say)
        databases = InContainer(here)
        _timed(say, "whole again", lambda: wait_for(lambda: whole(here), "the stack whole again", 120))
        _timed(say, "settled", lambda: wait_for(lambda: settled(databases), "all applied", SETTLE_SECONDS))
        summary.add(check(here.folder / "journal.jsonl", databases))
        hit = names(trouble.done, crashed(here.folder))
        summary.kinds_hit |= hit
        missed = sorted(names(own_kinds, own_crashes) - hit)
        summary.faults += [f"seed {seed}: the round was over before: {name}" for name in missed]
    finally:
        (folder / f"stack-{seed}.log").write_text(here.compose("logs", "--no-color", "--timestamps"))
        clear(here)


def _played(
    here: Stack, nation: Path, seed: int, trouble: Trouble, summary: ChaosSummary, say: Callable[[str], None]
) -> None:
    """The play amid the trouble; what it found wrong joins the summary."""
    passwords = enrol(here, nation, secrets.token_urlsafe(12))
    with here.client() as client, Journal(here.folder / "journal.jsonl") as journal:
        stage = Stage(
            client,
            nation,
            passwords,
            lambda at: set_clock(here.clock, at),
            say,
            journal=journal,
            patience=PATIENCE,
        )
        with trouble:
            played = play(stage)
            say(f"  played in {played.seconds} s amid {len(trouble.done)} mischiefs")
    summary.faults += [f"seed {seed}: {fault}" for fault in (*played.faults, *trouble.faults)]
    summary.recovered_seconds_max = max(summary.recovered_seconds_max, trouble.recovered_seconds_max)


def _timed(say: Callable[[str], None], what: str, wait: Callable[[], object]) -> None:
    began = time.monotonic()
    wait()
    say(f"  {what} after {time.monotonic() - began:.0f} s")
