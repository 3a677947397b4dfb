"""`tabian rehearse day`: the deadline day of a part of the country, played on a stack of its own by a fixed schedule, with a
report of how it was answered. Fails if anything was lost, came twice, or somebody was not served in the end.

Not here: the schedules, what people do, and the report (`deploy.rehearsal.load`).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.rehearsal.load.caller import Caller
from deploy.rehearsal.load.day import mend_all, play, send_all
from deploy.rehearsal.load.flood import Flood, Flooded, flood_calls
from deploy.rehearsal.load.report import NAMES, Day, figures, html
from deploy.rehearsal.load.sampler import Sample, Sampler
from deploy.rehearsal.load.schedule import PROFILES, Plan, Profile, Step, plan_of, schedule
from deploy.rehearsal.load.school_day import Record, Scene, SchoolDay
from deploy.rehearsal.load.series import by_kind
from deploy.rehearsal.truth import areas
from gateway.cli.result import write_json
from gateway.cli.stack import MORNING
from gateway.cli.stage import make_demo_nation, plain_lines
from gateway.cli.yard import (
    SETTLE_SECONDS,
    OpenDatabases,
    Yard,
    machine,
    open_round,
    running_yard,
)
from services.kit.clock import set_clock

FOLDER = Path(".tabian/rehearse")
LINES = 800
PATIENCE_SECONDS = 180.0
"""So long after the last arrival people still try."""
_LINE_EVERY = 10.0
Prepare = Callable[[Scene, Mapping[str, SchoolDay]], Awaitable[None]]


@click.group(help="ซ้อมวันสุดท้าย · The deadline day, rehearsed with a synthetic nation.")
def rehearse() -> None:
    """The command group."""


@rehearse.command(help="เล่นวันสุดท้ายของการยืนยันข้อมูล · Play the day on which everybody confirms and certifies.")
@click.option(
    "--profile", type=click.Choice(PROFILES), default="last-hour", show_default=True, help="Who comes when."
)
@click.option(
    "--schools",
    type=click.IntRange(min=6),
    default=1479,
    show_default=True,
    help="So many schools (5 % of the country).",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=6.0,
    show_default=True,
    help="From the first arrival to the last.",
)
@click.option(
    "--factor",
    type=click.FloatRange(min=0, min_open=True),
    help="The crowd comes so many times faster than on the day. Default: as many a second as the whole country.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=80.0,
    show_default=True,
    help="Acts a second of an overload; its flood is four times that.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=2564,
    show_default=True,
    help="Same seed, same pupils and arrivals.",
)
@click.option(
    "--nation",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A nation made before; so many of its schools play. Default: one is made.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Where report and figures go.",
)
@click.option("--keep", is_flag=True, help="Leave the stack running afterwards.")
def day(
    profile: Profile,
    schools: int,
    minutes: float,
    factor: float | None,
    rate: float,
    seed: int,
    folder: Path | None,
    out: Path,
    keep: bool,
) -> None:
    """Play the day; write report.html and summary.json."""
    say = plain_lines()
    nation = folder or make_demo_nation(out, esa=None, schools=schools, seed=seed)
    with running_yard("tabian-day", out / "stack", nation, say, keep=keep) as yard:
        open_round(yard)
        set_clock(yard.stack.clock, MORNING)
        told = list(islice((school for school in yard.told.schools.values() if school.uploads), schools))
        plan = plan_of(profile, len(told), seed, minutes, factor=factor, rate=rate)
        days = {school.code: SchoolDay(school, seed) for school in told}
        played = _Playing(yard, plan, days, areas(told)).day()
        if not played.sound:
            yard.keep_evidence(out)
    write_json(out / "summary.json", figures(played))
    (out / "report.html").write_text(html(played), encoding="utf-8")
    _tell(played, out)
    sys.exit(0 if played.sound else 1)


@dataclass
class _Playing:
    """A day while it is played."""

    yard: Yard
    plan: Plan
    schools: dict[str, SchoolDay]
    areas: list[str]
    records: list[Record] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    flooded: Flooded | None = None

    def day(self) -> Day:
        """Prepare if the plan asks for it, play, wait until everything is applied, check."""
        yard = self.yard
        if self.plan.profile == "overload":
            yard.say("เตรียม: ส่งแฟ้มทุกโรงเรียน · preparing: every school's file")
            for prepare in (send_all, mend_all):
                asyncio.run(self._prepared(prepare))
                yard.await_checked()
                yard.settle()
        steps = schedule(self.plan, list(self.schools), self.areas)
        yard.say(
            f"เล่น · playing: {self.plan.profile}, {len(self.schools)} schools, {len(steps)} arrivals in {self.plan.seconds:.0f} s"
        )
        unserved = asyncio.run(self._play(steps))
        yard.say(f"ตรวจ · checking: {len(self.records)} answers, {len(unserved)} schools not served")
        yard.settle()
        return Day(self.plan, machine(), self.records, self.samples, unserved, yard.verdict(), self.flooded)

    async def _prepared(self, prepare: Prepare) -> None:
        async with self._caller() as caller:
            not_measured: list[Record] = []
            scene = Scene(caller, self.yard.nation, self.yard.passes, not_measured.append, SETTLE_SECONDS)
            await prepare(scene, self.schools)

    async def _play(self, steps: Sequence[Step]) -> list[str]:
        """Returns the schools that were not served."""
        async with self._caller() as caller:
            with (
                progress(len(self.schools)) as seen,
                OpenDatabases(self.yard.databases.urls) as databases,
                Sampler(self.yard.metrics(), databases, caller.now) as sampler,
                self._flood() as flood,
            ):

                def note(record: Record) -> None:
                    self.records.append(record)
                    seen(record)

                scene = Scene(
                    caller, self.yard.nation, self.yard.passes, note, self.plan.seconds + PATIENCE_SECONDS
                )
                unserved = await play(scene, self.schools, steps)
                self.flooded = flood.result() if flood else None
            self.samples = sampler.samples
        return unserved

    def _caller(self) -> Caller:
        return self.yard.caller(lines=LINES, patience=PATIENCE_SECONDS)

    def _flood(self) -> AbstractContextManager[Flood | None]:
        if not self.plan.flood:
            return nullcontext()
        stack, asked = self.yard.stack, flood_calls(list(self.schools), self.yard.passes)
        return Flood(stack.address, asked, self.plan.flood, self.plan.seconds, stack.folder)


@contextmanager
def progress(schools: int) -> Iterator[Callable[[Record], None]]:
    """Takes every record; shows how far uploads and acts are: bars on a terminal, a line now and then elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        kinds = {
            "upload": bars.add_task("ส่งแฟ้ม · uploaded", total=schools),
            "confirm": bars.add_task("ยืนยัน · confirmed", total=schools),
            "certify": bars.add_task("รับรอง · certified", total=schools),
        }
        said = time.monotonic()

        def seen(record: Record) -> None:
            nonlocal said
            if record.kind in kinds and record.answer.good:
                bars.advance(kinds[record.kind])
            if not console.is_terminal and time.monotonic() - said > _LINE_EVERY:
                said = time.monotonic()
                console.print(", ".join(f"{task.description} {task.completed:.0f}" for task in bars.tasks))

        yield seen


def _tell(played: Day, out: Path) -> None:
    """The day in a few lines."""
    table = Table(
        "",
        "คำตอบ · answers",
        "p50 s",
        "p95 s",
        "p99 s",
        title=f"ซ้อมวันสุดท้าย · deadline day: {played.plan.profile}",
    )
    for kind, got in by_kind(played.records).items():
        table.add_row(
            NAMES[kind], str(got["answers"]), *(f"{got[p]:.3f}" for p in ("p50_s", "p95_s", "p99_s"))
        )
    Console().print(table)
    verdict = played.verdict
    click.echo(
        f"สูญหาย · lost {len(verdict.lost)}, ซ้ำ · doubled {len(verdict.doubled)}, "
        f"ไม่มีผู้ส่ง · unexpected {len(verdict.unexpected)}"
    )
    click.echo(f"โรงเรียนที่ยังไม่สำเร็จ · schools not served {len(played.unserved)}")
    click.echo(f"{out / 'report.html'}")
