"""`tabian broker declare|check`: the exchanges and queues of the declared events, on the broker of the environment.

Run when the system is deployed; the processes themselves declare nothing, they wait until everything is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from gateway.cli.operator import broker_url
from services.kit.broker import rabbit_queues


@click.group()
def broker() -> None:
    """The broker's exchanges and queues."""


@broker.command()
def declare() -> None:
    """Declare what is missing. What is there with other arguments is refused and left as it is."""
    with _said_plainly():
        rabbit_queues.declare(_url())
    click.echo("ประกาศครบแล้ว / everything is declared")


@broker.command()
def check() -> None:
    """Say what is missing; ends with 1 if anything is."""
    with _said_plainly():
        lacking = rabbit_queues.missing(_url())
    for name in lacking:
        click.echo(name)
    if lacking:
        raise click.ClickException("ยังไม่ครบ ใช้ tabian broker declare / something is missing")


def _url() -> str:
    url = broker_url()
    if not url:
        raise click.ClickException("ไม่มี TABIAN_BROKER_URL / TABIAN_BROKER_URL is missing")
    return url


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except rabbit_queues.ERRORS as problem:
        raise click.ClickException(
            f"ติดต่อ broker ไม่ได้หรือถูกปฏิเสธ / the broker is away or refuses ({type(problem).__name__})"
        ) from problem
