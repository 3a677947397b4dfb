"""Setting the stage for `tabian demo` and `tabian up --demo`: a nation, an embedded system, and an account for everybody."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.table import Table

from deploy.rehearsal.nation import Order, make_nation
from deploy.rehearsal.scenario import Stage, usernames
from deploy.rehearsal.summary import Summary
from deploy.rehearsal.truth import areas, load
from gateway.embedded import Embedded
from gateway.portal.enrolment import Entry, store
from services.contracts.access import Grant
from services.kit.clock import set_clock

PASSWORD = "tabian-demo-2564"
"""Everybody's password in a demo. The accounts and their data are synthetic and live in one folder."""


def demo_nation(folder: Path, *, esa: str | None, schools: int | None, seed: int) -> Path:
    """Where the nation of a demo is, or is to be."""
    return folder / f"nation-{esa or 'all'}-{schools or 'all'}-{seed}"


def make_demo_nation(folder: Path, *, esa: str | None, schools: int | None, seed: int) -> Path:
    """The nation of a demo, made once: the same order again finds it there. `esa` None: schools of all areas."""
    nation = demo_nation(folder, esa=esa, schools=schools, seed=seed)
    if not nation.exists():
        half = folder / f"{nation.name}.half"
        shutil.rmtree(half, ignore_errors=True)
        make_nation(
            Order(seed=seed, out=half, esa=esa, limit=schools, jobs=1 if esa else os.cpu_count() or 1)
        )
        half.rename(nation)
    return nation


def enrol(system: Embedded, nation: Path) -> dict[str, str]:
    """An account for everybody in the nation; returns username → password."""
    truth = load(nation / "truth.json")
    people = usernames(sorted(truth.schools), areas(truth.schools.values()))
    entries = [
        Entry(username, name, [Grant(role, scope)], PASSWORD) for username, name, role, scope in people
    ]
    store(system.runtimes["portal"].database, entries, replace=False)
    return {entry.username: PASSWORD for entry in entries}


def set_stage(system: Embedded, nation: Path, passwords: dict[str, str], say: Callable[[str], None]) -> Stage:
    """The stage on a running embedded system. Its clock file is the play's clock; the clock runs on from each setting."""
    client = httpx.Client(base_url=system.address, timeout=60)

    def at(moment: datetime) -> None:
        set_clock(system.place.clock, moment)

    return Stage(client, nation, passwords, at, say)


def plain_lines() -> Callable[[str], None]:
    """Says each line with the seconds since the start."""
    began = time.monotonic()
    return lambda text: click.echo(f"{time.monotonic() - began:6.1f} s  {text}")


def introduce(nation: Path, esa: str) -> None:
    """Say whom one can sign in as."""
    code = next(iter(sorted(path.name.split(".")[0] for path in (nation / "rosters").iterdir())))
    click.echo(f"\nบัญชีทดลอง · accounts to try, all with the password {PASSWORD}")
    for username, role in (
        (f"clerk-{code}", "เจ้าหน้าที่ข้อมูลโรงเรียน · a school's clerk"),
        (f"director-{code}", "ผู้อำนวยการโรงเรียน · its director"),
        (f"area-{esa}", "เจ้าหน้าที่เขตพื้นที่ · the area officer"),
        ("obec", "สพฐ. ส่วนกลาง · headquarters"),
        ("ops", "ผู้ดูแลระบบ · operations"),
    ):
        click.echo(f"  {username:24} {role}")


def show_summary(summary: Summary) -> None:
    """What the play came to, as a table, and its faults."""
    table = Table(show_header=False, title="สรุป · summary")
    for name, value in summary.plain().items():
        if name != "faults":
            table.add_row(name, str(value))
    Console().print(table)
    for fault in summary.faults:
        click.echo(f"  fault: {fault}", err=True)
