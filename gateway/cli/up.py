"""`tabian up`: the whole system in one process, for trying it and for developing; not a production mode."""

from __future__ import annotations

import signal
import threading
from datetime import datetime
from pathlib import Path

import click
from prometheus_client import start_http_server

from deploy.rehearsal.collecting import open_rounds, upload_all
from deploy.rehearsal.scenario import cast
from gateway.cli.stage import enrol, introduce, make_demo_nation, plain_lines, set_stage
from gateway.embedded import Embedded
from services.kit import tracing
from services.kit.clock import set_clock
from services.kit.logs import configure


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path(".tabian/run"), show_default=True)
@click.option("--port", type=int, default=8080, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--demo", is_flag=True, help="fill it with one area's schools and pupils, on the morning of 10 Nov 2564"
)
@click.option("--esa", default="6602", show_default=True, help="the area of --demo")
@click.option("--schools", type=int, default=None, help="with --demo: only so many schools")
@click.option("--metrics-port", type=int, default=0, help="serve Prometheus metrics here  [default: nowhere]")
@click.option("--log-level", default="WARNING", show_default=True)
def up(
    folder: Path,
    port: int,
    host: str,
    demo: bool,
    esa: str,
    schools: int | None,
    metrics_port: int,
    log_level: str,
) -> None:
    """Start the system and stay until Ctrl-C. What it holds stays in FOLDER for the next time."""
    configure(log_level)
    tracing.start()
    system = Embedded(folder, port=port, host=host)
    system.start()
    if metrics_port:
        start_http_server(metrics_port, host)
    try:
        if demo:
            _fill(system, folder, esa, schools)
        else:
            _how_to_enrol(system)
        click.echo(f"\nTabian  {system.address}   (Ctrl-C stops it; not a production mode)")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        stop.wait()
    finally:
        system.stop()


def _fill(system: Embedded, folder: Path, esa: str, schools: int | None) -> None:
    """Upload every school's files unless an earlier start did, and set the clock to the morning of confirming."""
    nation = make_demo_nation(folder, esa=esa, schools=schools, seed=2564)
    done = folder / "filled"
    if not done.exists():
        stage = set_stage(system, nation, enrol(system, nation), plain_lines())
        people = cast(stage)
        open_rounds(stage, people)
        upload_all(stage, people)
        done.touch()
    set_clock(system.place.clock, datetime.fromisoformat("2021-11-10T08:30:00+07:00"))
    introduce(nation, esa)


def _how_to_enrol(system: Embedded) -> None:
    click.echo("\nเพิ่มผู้ใช้ด้วยคำสั่ง · add people from another terminal:")
    click.echo(f"  export TABIAN_DATABASE_URL='{system.urls['portal']}' TABIAN_KEYS='{system.place.keys}'")
    click.echo("  tabian accounts add obec --name 'Headquarters' --grant hq:*")
