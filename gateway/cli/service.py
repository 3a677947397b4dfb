"""`tabian service <name> api|uploads|worker|relay|migrate`: one process of one service, as a deployment runs it.

The process's settings come from the environment. Not here: the whole system in one process (`tabian up`).
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click
from flask import Flask

import deploy
from services.kit.service import Runtime, Service
from services.kit.settings import Settings, load

log = logging.getLogger(__name__)
WHERE = {
    "intake": ("services.intake.app", "services.kit.settings:Settings"),
    "dedup": ("services.dedup.app", "services.kit.settings:Settings"),
    "snapshot": ("services.snapshot.app", "services.snapshot.settings:SnapshotSettings"),
    "buildings": ("services.buildings.app", "services.kit.settings:Settings"),
    "export": ("services.export.app", "services.export.settings:ExportSettings"),
    "portal": ("gateway.portal.app", "gateway.portal.settings:PortalSettings"),
}
"""Service → the module that declares it, and its settings. A process imports its own service and no other."""
GUNICORN = Path(deploy.__file__).parent / "gunicorn.conf.py"
LOOK_SECONDS = 0.5


@click.command()
@click.argument("name", type=click.Choice(list(WHERE)))
@click.argument("process", type=click.Choice(["api", "uploads", "worker", "relay", "migrate"]))
def service(name: str, process: str) -> None:
    """Run one PROCESS of the service NAME until it is told to end (SIGTERM: it finishes what is in hand).

    \b
    api      its HTTP interface, under gunicorn
    uploads  the same, as a pool of its own for long uploads
    worker   handles its events and does its jobs
    relay    sends its events and takes the reports
    migrate  brings its database to this version, and ends
    """
    os.environ.setdefault(
        "POLARS_MAX_THREADS", "1"
    )  # before polars is imported; processes are scaled by number
    if process in ("api", "uploads"):
        load(_settings_class(name))  # what is missing is said once, not by every worker that fails
        program = Path(sys.executable).with_name("gunicorn")
        os.execv(program, [str(program), "-c", str(GUNICORN), f"gateway.cli.service:application('{name}')"])
    if process == "migrate":
        _migrate(name)
    else:
        _run(name, process)


def application(name: str) -> Flask:
    """The WSGI application of a service in this process, for gunicorn. A service without a relay measures here."""
    from services.kit.http import build_app
    from services.kit.runtime import Background

    runtime = _runtime(name, load(_settings_class(name)))
    if not runtime.service.publishes:
        Background(runtime, relay=False, worker=False).start()
    return build_app(runtime)


def declared(name: str) -> Service:
    """The declaration of the service `name`."""
    found: Service = importlib.import_module(WHERE[name][0]).SERVICE
    return found


def _settings_class(name: str) -> type[Settings]:
    module, _, attribute = WHERE[name][1].partition(":")
    found: type[Settings] = getattr(importlib.import_module(module), attribute)
    return found


def _runtime(name: str, settings: Settings, **more: Any) -> Runtime:
    from services.kit import tracing
    from services.kit.logs import configure
    from services.kit.runtime import build_runtime

    configure(settings.log_level)
    tracing.start()
    made = getattr(importlib.import_module(WHERE[name][0]), "parts", None)
    return build_runtime(declared(name), settings, parts=made(settings) if made else {}, **more)


def _migrate(name: str) -> None:
    from services.kit.migrations import migrate

    revision = migrate(declared(name), load(_settings_class(name)).database_url)
    click.echo(f"{name}: {revision}")


def _run(name: str, process: str) -> None:
    """A relay or worker process. A process that lost one of its threads ends, so that it is started again."""
    from prometheus_client import start_http_server

    from services.kit.broker.rabbit import RabbitBroker
    from services.kit.runtime import BACKGROUND_CONNECTIONS, Background

    what = declared(name)
    _refuse_idle(what, process)
    settings = load(_settings_class(name))
    if not settings.broker_url:
        raise click.ClickException("ไม่มี TABIAN_BROKER_URL / TABIAN_BROKER_URL is missing")
    broker = RabbitBroker(settings.broker_url)
    runtime = _runtime(name, settings, broker=broker, pool_size=BACKGROUND_CONNECTIONS + len(what.jobs))
    relay, worker = process == "relay", process == "worker"
    background = Background(runtime, relay=relay, worker=worker, measuring=relay, alone=False)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if settings.metrics_port:
        start_http_server(settings.metrics_port)
    background.start()
    log.info("process started", extra={"service": name, "runs": process})
    while not stop.wait(LOOK_SECONDS) and not background.ended:
        continue
    lost = background.ended
    background.stop()
    broker.close()
    runtime.database.close()
    log.info("process ended", extra={"service": name, "runs": process, "lost_threads": lost})
    if lost:
        sys.exit(1)


def _refuse_idle(what: Service, process: str) -> None:
    busy = bool(what.publishes) if process == "relay" else bool(what.consumes or what.jobs)
    if not busy:
        raise click.ClickException(f"{what.name} ไม่มี {process} / {what.name} has no {process}")
