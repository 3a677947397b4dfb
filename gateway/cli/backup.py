"""`tabian backup`: a running stack's past, kept and put back (docs/backup.md).

Not here: how it is received and copied (`gateway.stack.backup`), and the drill that shows that it works (`gateway.cli.drill`).
"""

from __future__ import annotations

from datetime import datetime

import click

from gateway.cli.stack import FOLDER, said_plainly
from gateway.stack.backup import bases, before, receive, restore, take
from gateway.stack.compose import Stack
from gateway.stack.secrets import make_secrets


@click.group(help="สำรองและกู้คืน · Keep a stack's past, and put it back at any moment since.")
def backup() -> None:
    """The command group."""


@backup.command(
    "take", help="ทำสำเนาทั้งหมด · Receive the log from now on, if nobody does, and copy the whole."
)
def take_base() -> None:
    with said_plainly():
        here = _stack()
        receive(here)
        base = take(here)
    click.echo(f"{here.archive / base.name}")


@backup.command("list", help="สำเนาที่มี · The copies from which a restore can begin.")
def list_bases() -> None:
    for base in bases(_stack()):
        click.echo(f"{base.at:%Y-%m-%dT%H:%M:%SZ}  {base.name}")


@backup.command(
    "restore", help="กู้คืนลงระบบที่ว่าง · Put a stack that is down and empty back as it was; then make up."
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
    help="as it was then, 2026-11-28T16:05:00+0700 [default: the last that was received]",
)
def restore_base(until: datetime | None) -> None:
    with said_plainly():
        here = _stack()
        make_secrets(here.secrets)
        base = before(here, until)
        click.echo(f"{base.name} → {until.isoformat() if until else 'ท้ายสุด · the end'}")
        restore(here, base, until)
    click.echo("ต่อไป · next: make up DEMO=   (docs/backup.md)")


def _stack() -> Stack:
    return Stack("tabian", FOLDER, 8443, beside=False)
