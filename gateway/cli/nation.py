"""`tabian nation`: makes a synthetic nation to rehearse with. Here are options, progress and the result on the screen;
the making itself is `deploy.rehearsal.nation`'s."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from deploy.rehearsal.nation import CannotMake, Order, Result, make_nation, nation_of
from deploy.rehearsal.rounds import ROUNDS

_LINE_EVERY = 10.0  # seconds between plain lines when no terminal is there


@click.group(
    "nation", help="ประเทศจำลอง · A synthetic nation: schools, rosters with planted faults, and the truth."
)
def nation() -> None:
    """The command group."""


@nation.command("make", help="สร้างโรงเรียน แฟ้มนักเรียน และเฉลย · Make schools, roster files and their truth.")
@click.option("--esa", metavar="CODE", help="One education service area, e.g. 6602.")
@click.option("--all", "everything", is_flag=True, help="All areas of the list.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=2564, show_default=True, help="Same seed, same bytes."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to make."
)
@click.option("--round", "round_", type=click.Choice(list(ROUNDS)), default="2564-2", show_default=True)
@click.option(
    "--schools",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="List of schools (TSV). Default: TABIAN_SCHOOLS, else the public list beside the project, else made up.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only so many schools.")
@click.option("--jobs", type=click.IntRange(min=1, max=64), default=1, show_default=True, help="Processes.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the result here."
)
def make(
    esa: str | None,
    everything: bool,
    seed: int,
    out: Path,
    round_: str,
    schools: Path | None,
    limit: int | None,
    jobs: int,
    json_file: Path | None,
) -> None:
    """Make a nation and say what was made."""
    if everything == (esa is not None):
        raise click.UsageError("เลือก --esa หรือ --all อย่างใดอย่างหนึ่ง · choose one of --esa and --all")
    order = Order(seed, out, esa, round_, schools, limit, jobs)
    try:
        with _progress(sum(len(places) for places in nation_of(order).esas)) as made:
            result = make_nation(order, made)
    except CannotMake as error:
        raise click.ClickException(f"{error.th} · {error.en}") from error
    _say(result, out)
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(
            json.dumps(asdict(result), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


@contextmanager
def _progress(schools: int) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, a line every ten seconds elsewhere."""
    console = Console(stderr=True)
    if console.is_terminal:
        bar = Progress(
            TextColumn("โรงเรียน · schools"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        task = bar.add_task("", total=schools, rows=0)
        with bar:
            yield lambda made, rows: bar.update(
                task, advance=made, rows=bar.tasks[task].fields["rows"] + rows
            )
    else:
        yield _Lines(schools)


class _Lines:
    """Progress as plain lines, for logs."""

    def __init__(self, schools: int) -> None:
        self._schools = schools
        self._made = self._rows = 0
        self._next = time.monotonic() + _LINE_EVERY

    def __call__(self, made: int, rows: int) -> None:
        """Add what was made, and say so now and then."""
        self._made += made
        self._rows += rows
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            click.echo(f"{self._made}/{self._schools} schools, {self._rows} rows", file=sys.stderr)


def _say(result: Result, out: Path) -> None:
    totals = result.totals
    click.echo(
        f"{totals.schools:,} โรงเรียน นักเรียน {totals.pupils:,} คน · {totals.schools:,} schools, {totals.pupils:,} pupils, "
        f"{totals.uploads:,} files ({result.written / 1e6:,.0f} MB): {totals.rejected_files:,} unreadable, "
        f"{totals.planted:,} faults and {totals.duplicates:,} duplicates planted"
    )
    speed = result.rows / result.seconds if result.seconds else 0.0
    click.echo(f"{out} · {result.seconds:.1f} s, {speed:,.0f} rows/s, {result.rss_mib:,} MiB")
