"""`tabian bench`: the stack under the load of a part of the country, measured: rolls in, and acts.

Starts a stack of its own. The figures are of this machine, with who makes the load on it. Not here: what they should be
(docs/benchmarks.md).
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from deploy.rehearsal.load.calls import certifications, confirmations, rolls
from deploy.rehearsal.load.figures import outcome
from deploy.rehearsal.load.idle import waits_alone
from deploy.rehearsal.load.knee import Knee, find_knee
from deploy.rehearsal.scenario import ROUND, wait_for
from gateway.cli.result import write_json
from gateway.cli.stack import MORNING
from gateway.cli.stage import make_demo_nation, plain_lines
from gateway.cli.yard import (
    LINES,
    SETTLE_SECONDS,
    Yard,
    all_checked,
    machine,
    open_round,
    running_yard,
    statement_of,
)
from gateway.cli.yardsticks import measure_yardsticks
from gateway.stack.compose import cpu_seconds, memory_peaks
from services.kit.clock import set_clock

FOLDER = Path(".tabian/bench")
CLERKS = 24
"""Clerks who send at once: more fill the edge's queue, fewer leave a core idle."""
ALONE = 30
"""Schools that send when nobody else does anything."""


@click.command()
@click.option("--schools", default=1479, show_default=True, help="so many schools (5 % of the country)")
@click.option("--rate", default=300.0, show_default=True, help="acts a second")
@click.option(
    "--yardsticks/--no-yardsticks",
    default=True,
    show_default=True,
    help="measure COPY, the obvious monolith and a confirm-each relay as well, and compare",
)
@click.option("--keep", is_flag=True, help="leave the stack running afterwards")
@click.option("--json", "json_file", type=click.Path(path_type=Path), default=FOLDER / "summary.json")
def bench(schools: int, rate: float, yardsticks: bool, keep: bool, json_file: Path) -> None:
    """Measure a stack of its own under load. Fails if anything was lost, and for no figure."""
    say = plain_lines()
    nation = make_demo_nation(json_file.parent, esa=None, schools=schools, seed=2564)
    with running_yard("tabian-bench", json_file.parent / "stack", nation, say, keep=keep) as yard:
        summary: dict[str, Any] = {"machine": machine(), "schools": schools}
        open_round(yard)
        summary |= measure_rolls(yard)
        summary |= measure_idle(yard)
        set_clock(yard.stack.clock, MORNING)
        versions = ready_versions(yard)
        summary |= measure_knee(yard, versions)
        summary |= measure_acts(yard, versions, rate)
        summary |= measure_memory(yard)
        verdict = yard.verdict()
        summary |= {name: len(getattr(verdict, name)) for name in ("lost", "doubled", "unexpected")}
        if yardsticks:
            summary |= measure_yardsticks(yard, summary["intake_students_per_s"])
        write_json(json_file, summary)
        click.echo(json_file.read_text())
    sys.exit(0 if verdict.sound else 1)


def measure_rolls(yard: Yard) -> dict[str, Any]:
    """Every school sends its roll; the time is until the last is checked, stored and screened."""
    calls = list(rolls(yard.nation, yard.told.schools.values(), yard.passes))
    before, began = cpu_seconds(yard.stack.running()), time.monotonic()
    answers = yard.load(calls, at_once=CLERKS)
    taken = time.monotonic() - began
    wait_for(lambda: all_checked(yard), "every roll checked", SETTLE_SECONDS)
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


def measure_idle(yard: Yard) -> dict[str, Any]:
    """Some schools, one after the other, send a roll when nobody else does anything."""

    async def run() -> list[float]:
        async with yard.caller(lines=2) as caller:
            schools = yard.told.schools.values()
            return await waits_alone(caller, yard.nation, schools, yard.passes, number=ALONE)

    waited = asyncio.run(run())
    yard.settle()
    figures = {"idle_visible_p50_s": median(waited), "idle_visible_p95_s": float(np.percentile(waited, 95))}
    yard.say(f"  {len(waited)} rolls one by one: {figures}")
    return {name: round(seconds, 3) for name, seconds in figures.items()}


def ready_versions(yard: Yard) -> dict[str, str]:
    """School → sha256 of the version it is ready to confirm."""
    ready = f"SELECT school, sha256 FROM submission WHERE round = '{ROUND}' AND state = 'ready'"
    return {school: sha256 for school, sha256 in yard.databases.ask("intake", ready)}


def measure_knee(yard: Yard, versions: dict[str, str]) -> dict[str, Any]:
    """Confirmations, each taken back, at a growing rate."""

    async def run() -> Knee:
        async with yard.caller(lines=LINES) as caller:
            return await find_knee(caller, versions, yard.passes)

    knee = asyncio.run(run())
    yard.settle()
    yard.say(f"  acts are in time up to {knee.per_s} a second")
    return {"acts_knee_per_s": knee.per_s, "acts_knee_steps": knee.steps}


def measure_acts(yard: Yard, versions: dict[str, str], rate: float) -> dict[str, Any]:
    """Every school that is ready confirms and certifies, the acts coming at a fixed rate."""
    statement = statement_of(yard, next(iter(versions)))
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


def measure_memory(yard: Yard) -> dict[str, Any]:
    """The largest process of each service, after all that."""
    peaks = memory_peaks(yard.stack.running())
    return {"rss_mib": peaks, "rss_max_mib": max(peaks.values())}


def _spent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    spent = {name: round(after[name] - before.get(name, 0.0), 1) for name in after}
    return dict(sorted(spent.items(), key=lambda item: -item[1]))
