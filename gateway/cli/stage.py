"""Setting the stage for `tabian demo` and `tabian up --demo`: a nation, an embedded system, and an account for everybody."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import httpx

from deploy.rehearsal.nation import Order, make_nation
from deploy.rehearsal.scenario import Stage, usernames
from deploy.rehearsal.truth import load
from gateway.embedded import Embedded
from gateway.portal.enrolment import Entry, store
from services.contracts.access import Grant
from services.kit.clock import set_clock

PASSWORD = "tabian-demo-2564"
"""Everybody's password in a demo. The accounts and their data are synthetic and live in one folder."""


def make_demo_nation(folder: Path, *, esa: str, schools: int | None, seed: int) -> Path:
    """The nation of a demo, made once: the same order again finds it there."""
    nation = folder / f"nation-{esa}-{schools or 'all'}-{seed}"
    if not (nation / "truth.json").exists():
        make_nation(Order(seed=seed, out=nation, esa=esa, limit=schools))
    return nation


def enrol(system: Embedded, nation: Path) -> dict[str, str]:
    """An account for everybody in the nation; returns username → password."""
    truth = load(nation / "truth.json")
    people = usernames(sorted(truth.schools), sorted({s.esa for s in truth.schools.values()}))
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
