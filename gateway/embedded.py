"""The whole system in one process: PostgreSQL from its wheel, every service's web application behind one address, and
the threads of their relays, workers and jobs around one LocalBroker.

For trying and for developing; not a production mode. The services run the same code as on their own: only the
broker, the database URLs and the clock file differ.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cheroot import wsgi

from gateway.portal.app import SERVICE as PORTAL
from gateway.routes import class_of, owner_of
from services.buildings.app import SERVICE as BUILDINGS
from services.dedup.app import SERVICE as DEDUP
from services.export.app import SERVICE as EXPORT
from services.intake.app import SERVICE as INTAKE
from services.kit.broker.local import LocalBroker
from services.kit.http import CLASS_HEADER, RECEIVED_HEADER, build_app
from services.kit.keys import make_keys
from services.kit.migrations import migrate
from services.kit.postgres import EmbeddedPostgres
from services.kit.runtime import BACKGROUND_CONNECTIONS, Background, build_runtime
from services.kit.service import Runtime, Service
from services.kit.settings import Settings
from services.snapshot.app import SERVICE as SNAPSHOT

log = logging.getLogger(__name__)
SERVICES: tuple[Service, ...] = (INTAKE, DEDUP, SNAPSHOT, BUILDINGS, EXPORT, PORTAL)
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
_RECEIVED, _CLASS = ("HTTP_" + header.upper().replace("-", "_") for header in (RECEIVED_HEADER, CLASS_HEADER))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an embedded system keeps its things, below one folder."""

    folder: Path

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def clock(self) -> Path:
        return self.folder / "clock.json"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def databases(self) -> Path:
        """Where the databases of a started system are: service → URL, as JSON."""
        return self.folder / "databases.json"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"


class Front:
    """The WSGI application at the address: stamps each request with its arrival and hands it to its owner."""

    def __init__(self, apps: dict[str, Wsgi]) -> None:
        self._apps = apps

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # a client's own stamp would let it choose when it arrived
        environ[_RECEIVED] = str(time.time_ns() // 1_000_000)
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        environ[_CLASS] = class_of(method, path)
        owner = owner_of(method, path)
        return self._apps[owner or "portal"](environ, start_response)


class _Server(wsgi.Server):
    """Logs like everybody else, without its words: they may quote what a client sent."""

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: ARG002
        log.log(level, "web server's trouble", exc_info=traceback)


class Embedded:
    """The running system. `start()` returns when the address answers; `stop()` ends everything in order."""

    def __init__(self, folder: Path, *, port: int = 8080, host: str = "127.0.0.1", threads: int = 16) -> None:
        self.place = Place(folder.resolve())
        self.place.folder.mkdir(parents=True, exist_ok=True)
        self.address = f"http://{host}:{port}"
        make_keys(self.place.keys)
        self._postgres = EmbeddedPostgres(self.place.postgres)
        self.urls = self._postgres.create([service.name for service in SERVICES])
        self.place.databases.write_text(json.dumps(self.urls, indent=2))
        for service in SERVICES:
            migrate(service, self.urls[service.name])
        self._broker = LocalBroker()
        self.runtimes = self._build(threads)
        self._background = [_background(runtime) for runtime in self.runtimes.values()]
        front = Front({name: build_app(runtime) for name, runtime in self.runtimes.items()})
        self._mount(front)
        self._server = _Server((host, port), front, numthreads=threads, server_name="tabian")

    def _build(self, threads: int) -> dict[str, Runtime]:
        """Every service's runtime. The parts that lead to other services are filled in once their apps exist."""
        runtimes = {}
        for service in SERVICES:
            settings = Settings(
                database_url=self.urls[service.name],
                keys=self.place.keys,
                clock_file=self.place.clock,
                data=self.place.data,
                threads=threads,
            )
            background = BACKGROUND_CONNECTIONS + len(service.jobs)
            parts = {"proxies": 0} if service is PORTAL else {}
            runtimes[service.name] = build_runtime(
                service, settings, broker=self._broker, parts=parts, pool_size=threads + background
            )
        return runtimes

    def _mount(self, front: Wsgi) -> None:
        """The same clients as over a network, but into this process."""
        snapshot = build_app(self.runtimes["snapshot"])
        self.runtimes["portal"].parts["api"] = _client(front)
        self.runtimes["export"].parts["snapshot"] = _client(snapshot)

    def start(self) -> None:
        for runtime in self.runtimes.values():
            if runtime.service.take_back is not None:
                with runtime.database.transaction() as tx:
                    runtime.service.take_back(tx)
        self._server.prepare()
        threading.Thread(target=self._server.serve, name="http", daemon=True).start()
        for background in self._background:
            background.start()

    def stop(self) -> None:
        self._server.stop()
        for background in self._background:
            background.stop()
        for runtime in self.runtimes.values():
            runtime.database.close()
        self._postgres.close()

    @property
    def broker(self) -> LocalBroker:
        return self._broker


def _background(runtime: Runtime) -> Background:
    """The portal has neither events nor jobs."""
    busy = bool(runtime.service.publishes)
    return Background(runtime, relay=busy, worker=busy)


def _client(app: Wsgi) -> httpx.Client:
    return httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://tabian", timeout=60)


def free_port() -> int:
    """A TCP port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
