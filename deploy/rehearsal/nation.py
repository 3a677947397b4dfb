"""The synthetic nation: chooses the schools, makes them in one or several processes, writes list, files and truth.

The same seed and choice give the same bytes with any number of processes. Neither uploads anything nor judges.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Final

from deploy.rehearsal import register
from deploy.rehearsal.plan import Nation, plan
from deploy.rehearsal.register import School
from deploy.rehearsal.rounds import ROUNDS
from deploy.rehearsal.school import Sight, make
from deploy.rehearsal.truth import Duplicate, Totals, Writer, dumps

_CHUNK: Final = 24  # schools of one task
_LARGE: Final = 5  # from so many ESAs on, workbooks are rare
_WAITING: Final = 4  # tasks per process that may wait: keeps memory flat
SCHOOLS_FILE: Final = "schools.tsv"
TRUTH_FILE: Final = "truth.json"


class CannotMake(ValueError):
    """The nation asked for cannot be made; `th` and `en` say why."""

    def __init__(self, th: str, en: str) -> None:
        """Both texts are for the person at the keyboard."""
        super().__init__(en)
        self.th, self.en = th, en


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: one ESA (`esa`) or all (None), the first `limit` schools of each choice, `schools` the list."""

    seed: int
    out: Path
    esa: str | None = None
    round: str = "2564-2"
    schools: Path | None = None
    limit: int | None = None
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What was made; `written` in bytes, `rss_mib` the largest resident sizes of all processes added."""

    totals: Totals
    rows: int
    written: int
    seconds: float
    rss_mib: int


@dataclass(frozen=True, slots=True)
class _Task:
    esa: int
    start: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The schools of one task, made: truths as lines of JSON so that little travels between processes."""

    lines: tuple[tuple[str, str], ...]
    totals: Totals
    sights: tuple[Sight, ...]
    rows: int
    written: int


Progress = Callable[[int, int], None]
"""Called with the schools and the roster rows made since the last call."""


def nation_of(order: Order) -> Nation:
    """The schools and the plan's ground for an order.

    Raises CannotMake for an unknown round, ESA or list.
    """
    if order.round not in ROUNDS:
        raise CannotMake(
            f"ไม่รู้จักรอบ {order.round}", f"unknown round {order.round}: one of {', '.join(ROUNDS)}"
        )
    schools = _list(order)
    esas: dict[str, list[int]] = {}
    for place, school in enumerate(schools):
        if order.esa is None or school.esa == order.esa:
            esas.setdefault(school.esa, []).append(place)
    if not esas:
        raise CannotMake(f"ไม่มีโรงเรียนของเขต {order.esa} ในบัญชี", f"the list has no school of ESA {order.esa}")
    chosen = _limited(list(esas.values()), order.limit)
    return Nation(order.seed, ROUNDS[order.round], tuple(schools), chosen, len(chosen) >= _LARGE)


def _list(order: Order) -> list[School]:
    path = register.find(order.schools)
    if path is None:
        return register.make(order.seed)
    try:
        return register.read(path)
    except (OSError, ValueError) as error:
        raise CannotMake(
            f"อ่านบัญชีโรงเรียน {path} ไม่ได้", f"cannot read the list of schools {path}: {error}"
        ) from error


def _limited(esas: list[list[int]], limit: int | None) -> tuple[tuple[int, ...], ...]:
    """The first `limit` schools in the list's order, ESA by ESA."""
    places = iter(place for esa in esas for place in esa)
    kept = set(islice(places, limit))
    return tuple(chosen for esa in esas if (chosen := tuple(place for place in esa if place in kept)))


def make_nation(order: Order, progress: Progress | None = None) -> Result:
    """Make a nation in `order.out`: schools.tsv, rosters/, truth.json.

    Raises CannotMake when the order cannot be met or the folder holds something else than an earlier nation.
    """
    started = time.monotonic()
    nation = nation_of(order)
    _clear(order.out)
    places = [place for esa in nation.esas for place in esa]
    register.write((nation.schools[place] for place in places), order.out / SCHOOLS_FILE)
    totals, rows, written = Totals(), 0, 0
    sights: list[Sight] = []
    with (order.out / TRUTH_FILE).open("w", encoding="utf-8", newline="\n") as out:
        writer = Writer(
            out,
            round_=order.round,
            seed=order.seed,
            esa=order.esa or "",
            count_day=nation.round.count_day.isoformat(),
        )
        for chunk in _chunks(nation, order):
            for code, line in chunk.lines:
                writer.school(code, line)
            totals = totals.merged(chunk.totals)
            sights.extend(chunk.sights)
            rows, written = rows + chunk.rows, written + chunk.written
            if progress is not None:
                progress(len(chunk.lines), chunk.rows)
        duplicates = _duplicates(sights)
        totals = totals.with_duplicates(len(duplicates))
        writer.close(duplicates, totals)
    return Result(totals, rows, written, round(time.monotonic() - started, 2), _rss_mib(order.jobs))


def _clear(out: Path) -> None:
    """Make the folder ready: an earlier nation is replaced, anything else is left alone."""
    if out.exists() and any(out.iterdir()) and not (out / TRUTH_FILE).is_file():
        raise CannotMake(f"โฟลเดอร์ {out} มีไฟล์อื่นอยู่", f"the folder {out} holds something else")
    (out / TRUTH_FILE).unlink(missing_ok=True)
    shutil.rmtree(out / "rosters", ignore_errors=True)
    (out / "rosters").mkdir(parents=True)


def _tasks(nation: Nation) -> Iterator[_Task]:
    for esa, places in enumerate(nation.esas):
        for start in range(0, len(places), _CHUNK):
            yield _Task(esa, start)


def _make_chunk(nation: Nation, task: _Task, out: Path) -> _Chunk:
    made = [make(nation, school, out) for school in plan(nation, task.esa)[task.start : task.start + _CHUNK]]
    return _Chunk(
        lines=tuple((school.truth.code, dumps(school.truth)) for school in made),
        totals=reduce(Totals.plus, (school.truth for school in made), Totals()),
        sights=tuple(sight for school in made for sight in school.sights),
        rows=sum(school.pupils for school in made),
        written=sum(school.written for school in made),
    )


def _chunks(nation: Nation, order: Order) -> Iterator[_Chunk]:
    """All chunks in the list's order, however many processes make them."""
    if order.jobs <= 1:
        yield from (_make_chunk(nation, task, order.out) for task in _tasks(nation))
        return
    tasks = _tasks(nation)
    context = multiprocessing.get_context("spawn")  # polars has threads: a forked child could hang
    with _one_thread_each(), ProcessPoolExecutor(order.jobs, context, _begin, (order,)) as pool:
        waiting: list[Future[_Chunk]] = [
            pool.submit(_work, task) for task in islice(tasks, order.jobs * _WAITING)
        ]
        while waiting:
            yield waiting.pop(0).result()
            waiting.extend(pool.submit(_work, task) for task in islice(tasks, 1))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes begun in here use one polars thread each: the processes are the parallelism."""
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


_here: dict[str, tuple[Nation, Path]] = {}


def _begin(order: Order) -> None:
    """First thing in a worker process: read the list once."""
    _here["order"] = (nation_of(order), order.out)


def _work(task: _Task) -> _Chunk:
    nation, out = _here["order"]
    return _make_chunk(nation, task, out)


def _duplicates(sights: list[Sight]) -> list[Duplicate]:
    """Both schools' halves of every duplicate put together, in the order of the false school's list line."""
    true = {sight.pupil: sight for sight in sights if sight.pair is None}
    return [
        Duplicate(
            true_school=true[sight.pupil].code,
            false_school=sight.code,
            true_row=true[sight.pupil].row,
            false_row=sight.row,
            national_id=sight.national_id,
            resolution=sight.pair.resolution,
        )
        for sight in sights
        if sight.pair is not None
    ]


def _rss_mib(jobs: int) -> int:
    """Peak resident memory of this process and its children together, children taken as large as the largest."""
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if jobs > 1 else 0
    return int((own + jobs * child) // unit)
