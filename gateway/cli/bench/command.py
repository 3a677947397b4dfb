"""`tabian bench`: the stack under the load of a part of the country, or of all of it, measured: rolls in, acts, floods, the
round closed, its package.

Starts a stack of its own. The figures are of this machine, with who makes the load on it. Not here: what they should be
(docs/benchmarks.md).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from deploy.rehearsal.load.knee import STEP_SECONDS
from deploy.rehearsal.load.plots import draw
from gateway.cli.bench.acts import measure_acts, measure_knee, mend, ready_versions
from gateway.cli.bench.closing import measure_close, measure_package
from gateway.cli.bench.floods import measure_overload, measure_signin_flood
from gateway.cli.bench.rolls import measure_idle, measure_rolls
from gateway.cli.bench.room import check_room
from gateway.cli.bench.summary import Summary, missing
from gateway.cli.bench.usage import measure_usage
from gateway.cli.bench.yardsticks import measure_yardsticks
from gateway.cli.stack import MORNING
from gateway.cli.stage import demo_nation, make_demo_nation, plain_lines
from gateway.cli.yard import Yard, machine, open_round, outline_of, running_yard
from services.kit.clock import set_clock

FOLDER = Path(".tabian/bench")
FEW, ALL = 1479, 29_579
"""Schools: 5 % of the country, and all of it."""
SEED = 2564


@click.command()
@click.option(
    "--schools", type=click.IntRange(min=3), help=f"so many schools [default: {FEW}, 5 % of the country]"
)
@click.option("--all", "everybody", is_flag=True, help="the whole nation, made where it is not there yet")
@click.option(
    "--nation",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="all schools of a nation made before",
)
@click.option("--rate", default=300.0, show_default=True, help="acts a second")
@click.option("--seconds", default=180.0, show_default=True, help="so long they come")
@click.option("--step", default=STEP_SECONDS, show_default=True, help="seconds for which one rate is tried")
@click.option(
    "--yardsticks/--no-yardsticks",
    default=True,
    show_default=True,
    help="measure COPY, the obvious monolith, a confirm-each relay and a bare act as well, and compare",
)
@click.option("--complete", is_flag=True, help="fail for a figure that was not measured")
@click.option("--keep", is_flag=True, help="leave the stack running afterwards")
@click.option("--json", "json_file", type=click.Path(path_type=Path), default=FOLDER / "summary.json")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    help="where the pictures go [default: plots, beside the summary]",
)
def bench(
    schools: int | None,
    everybody: bool,
    folder: Path | None,
    rate: float,
    seconds: float,
    step: float,
    yardsticks: bool,
    complete: bool,
    keep: bool,
    json_file: Path,
    plots: Path | None,
) -> None:
    """Measure a stack of its own under load. Fails if anything was lost, and for no figure."""
    if sum((schools is not None, everybody, folder is not None)) > 1:
        raise click.UsageError("เลือกอย่างเดียว · choose one of --schools, --all and --nation")
    say = plain_lines()
    nation = _nation(json_file.parent, None if everybody else schools or FEW, folder)
    with running_yard("tabian-bench", json_file.parent / "stack", nation, say, keep=keep) as yard:
        yard.step_seconds = step
        head = machine()
        about = {"machine": head, "cores": head["cores"], "schools": len(yard.told.schools)}
        summary, sound = Summary(json_file, about), False
        try:
            sound = _measure(yard, summary, rate, seconds, yardsticks)
        finally:
            if not sound:
                yard.keep_evidence(json_file.parent)
    draw(summary.figures, plots or json_file.parent / "plots")
    click.echo(json_file.read_text(encoding="utf-8"))
    lacking = missing(summary.figures) if complete else []
    if lacking:
        click.echo(f"ขาดตัวเลข · not measured: {', '.join(lacking)}", err=True)
    sys.exit(0 if sound and not lacking else 1)


def _nation(folder: Path, schools: int | None, made: Path | None) -> Path:
    """The nation to send; asked for its room on the disk before it is made. `schools`: None is all."""
    if made is not None:
        check_room(made, len(outline_of(made).schools))
        return made
    check_room(demo_nation(folder, esa=None, schools=schools, seed=SEED), schools or ALL)
    return make_demo_nation(folder, esa=None, schools=schools, seed=SEED)


def _measure(yard: Yard, summary: Summary, rate: float, seconds: float, yardsticks: bool) -> bool:
    """One part after the other; whether nothing was lost."""
    open_round(yard)
    summary.add("rolls", lambda: measure_rolls(yard))
    summary.add("idle", lambda: measure_idle(yard))
    set_clock(yard.stack.clock, MORNING)
    mend(yard)
    versions = ready_versions(yard)
    yard.say(f"  {len(versions)} schools are ready to confirm")
    summary.add("knee", lambda: measure_knee(yard, versions))
    borne = summary.figures["acts_knee_per_s"]
    summary.add("signin_flood", lambda: measure_signin_flood(yard, versions, borne / 2))
    summary.add("overload", lambda: measure_overload(yard, versions, borne))
    summary.add("acts", lambda: measure_acts(yard, versions, rate, seconds))
    summary.add("close", lambda: measure_close(yard))
    summary.add("package", lambda: measure_package(yard))
    summary.add("usage", lambda: measure_usage(yard))
    summary.add("checker", lambda: _checked(yard))
    if yardsticks:
        summary.add("yardsticks", lambda: measure_yardsticks(yard, summary.figures))
    return not any(summary.figures[name] for name in ("lost", "doubled", "unexpected"))


def _checked(yard: Yard) -> dict[str, Any]:
    """How much the checker found wrong."""
    verdict = yard.verdict()
    return {name: len(getattr(verdict, name)) for name in ("lost", "doubled", "unexpected")}
