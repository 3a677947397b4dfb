"""`tabian bench`: the stack under the load of a part of the country, measured: rolls in, acts, the round closed, its package.

Starts a stack of its own. The figures are of this machine, with who makes the load on it. Not here: what they should be
(docs/benchmarks.md).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gateway.cli.bench.acts import measure_acts, measure_knee, ready_versions
from gateway.cli.bench.closing import measure_close, measure_package
from gateway.cli.bench.floods import measure_overload, measure_signin_flood
from gateway.cli.bench.rolls import measure_idle, measure_rolls
from gateway.cli.bench.usage import measure_memory
from gateway.cli.bench.yardsticks import measure_yardsticks
from gateway.cli.result import write_json
from gateway.cli.stack import MORNING
from gateway.cli.stage import make_demo_nation, plain_lines
from gateway.cli.yard import machine, open_round, running_yard
from services.kit.clock import set_clock

FOLDER = Path(".tabian/bench")


@click.command()
@click.option("--schools", default=1479, show_default=True, help="so many schools (5 % of the country)")
@click.option("--rate", default=300.0, show_default=True, help="acts a second")
@click.option(
    "--yardsticks/--no-yardsticks",
    default=True,
    show_default=True,
    help="measure COPY, the obvious monolith, a confirm-each relay and a bare act as well, and compare",
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
        summary |= measure_signin_flood(yard, versions, summary["acts_knee_per_s"] / 2)
        summary |= measure_overload(yard, versions, summary["acts_knee_per_s"])
        summary |= measure_acts(yard, versions, rate)
        summary |= measure_close(yard)
        summary |= measure_package(yard)
        summary |= measure_memory(yard)
        verdict = yard.verdict()
        summary |= {name: len(getattr(verdict, name)) for name in ("lost", "doubled", "unexpected")}
        if yardsticks:
            summary |= measure_yardsticks(yard, summary)
        write_json(json_file, summary)
        click.echo(json_file.read_text())
    sys.exit(0 if verdict.sound else 1)
