"""A HAProxy of the tests' own, running the edge's configuration, with a small process of ours behind each pool.

Each process answers with what reached it, unless it is told what to say or is an application of ours. `/slow` in the query makes it take its time.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from cheroot import wsgi

from gateway.edge.configuration import Site, configuration, routes_map
from gateway.edge.pools import POOLS, Pool
from gateway.stack.secrets import make_secrets
from services.kit.keys import Keys

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

PLACES = ("haproxy", "/usr/sbin/haproxy", "/opt/homebrew/bin/haproxy")


@dataclass
class Process:
    """One process behind the edge. `seen`: the requests in the order they reached it; `away`: it breaks off instead
    of answering; `says`: (method, path, headers) → (status, body), instead of what reached it; `app`: a WSGI application that answers instead."""

    pool: str
    port: int = 0
    seen: list[dict[str, Any]] = field(default_factory=list)
    away: int = 0
    says: Callable[[str, str, dict[str, str]], tuple[int, dict[str, Any]]] | None = None
    app: WSGIApplication | None = None
    _server: ThreadingHTTPServer | wsgi.Server | None = None
    _lines: list[socket.socket] = field(default_factory=list)
    _here: threading.Event = field(default_factory=threading.Event)

    def start(self) -> int:
        """Returns its port."""
        self._here.set()
        if self.app is not None:
            self.port = self.port or _free_ports(1)[0]
            self._server = wsgi.Server(("127.0.0.1", self.port), self.app, numthreads=12)
            self._server.prepare()
            threading.Thread(target=self._server.serve, daemon=True).start()
            return self.port
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self.port

    def stop(self) -> None:
        """It ends, and its connections with it."""
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._lines.clear()
        self._go()

    def _go(self) -> None:
        if isinstance(self._server, wsgi.Server):
            self._server.stop()
        elif self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._server = None

    @contextmanager
    def vanished(self) -> Iterator[None]:
        """Nobody is at its address meanwhile, not even to refuse: what knocks gets no answer, nor what comes over a connection
        that is open already."""
        self._here.clear()
        self._go()
        with ExitStack() as kept:
            deaf = kept.enter_context(socket.create_server(("127.0.0.1", self.port), backlog=0))
            for _ in range(3):  # a full backlog is as silent as an empty place
                knock = kept.enter_context(socket.socket())
                knock.setblocking(False)
                knock.connect_ex(deaf.getsockname())
            yield
        self.start()


def _told(handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def _handler(process: Process) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            process._lines.append(self.connection)

        def _answer(self) -> None:
            process._here.wait(60)
            if self.path == "/readyz":
                self._send(200, {})
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = {"method": self.command, "path": self.path, "headers": headers, "bytes": len(body)}
            process.seen.append(seen)
            if process.away:
                process.away -= 1
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if "slow" in self.path:
                time.sleep(0.6)
            if process.says is not None:
                self._send(*process.says(self.command, self.path, headers))
                return
            self._send(503 if "full" in self.path else 200, {"pool": process.pool, **seen})

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        _send = _told

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


@dataclass
class Edge:
    """The running edge: clients for its two doors, its metrics' address, and the processes behind it."""

    public: httpx.Client
    inner: httpx.Client
    metrics: str
    keys: Keys
    processes: dict[str, Process]
    running: subprocess.Popen[bytes]

    def leave(self) -> None:
        """What a reload does to the process before: it takes no new connection and ends with its last one."""
        self.running.send_signal(signal.SIGUSR1)


def program() -> str:
    """Where this machine's HAProxy is."""
    return next(found for place in PLACES if (found := shutil.which(place)))


def _site(folder: Path, binds: tuple[str, ...], ports: Mapping[str, int], pools: tuple[Pool, ...]) -> Site:
    public, inner, metrics, nobody_api, nobody_pages = binds
    secrets = folder / "secrets"
    return Site(
        public_bind=f"{public} ssl crt {secrets / 'edge.pem'} alpn h2,http/1.1",
        inner_bind=inner,
        metrics_bind=metrics,
        nobody_api_bind=nobody_api,
        nobody_pages_bind=nobody_pages,
        routes=str(folder / "routes.map"),
        token_key=str(secrets / "token.pub"),
        ticket_key=str(secrets / "ticket.key"),
        processes={name: f"127.0.0.1:{port}" for name, port in ports.items()},
        pools=pools,
    )


@contextmanager
def running_edge(
    folder: Path,
    pools: tuple[Pool, ...] = POOLS,
    *,
    apps: Mapping[str, WSGIApplication] | None = None,
    others: Mapping[str, int] | None = None,
) -> Iterator[Edge]:
    """HAProxy over TLS with its secrets in `folder`; ends with the block. `apps`: pool name → application behind it;
    `others`: pool name → port of a process on this machine that stands there instead of ours."""
    make_secrets(folder / "secrets")
    processes = {
        pool.name: Process(pool.name, app=(apps or {}).get(pool.name))
        for pool in pools
        if pool.name not in (others or {})
    }
    ports = dict(others or {}) | {name: process.start() for name, process in processes.items()}
    public, inner, metrics, *nobody = (f"127.0.0.1:{port}" for port in _free_ports(5))
    secrets = folder / "secrets"
    site = _site(folder, (public, inner, metrics, *nobody), ports, pools)
    (folder / "routes.map").write_text(routes_map(), encoding="utf-8")
    (folder / "haproxy.cfg").write_text(configuration(site), encoding="utf-8")
    trusted = ssl.create_default_context(cafile=secrets / "edge.crt")
    with (
        (folder / "haproxy.log").open("wb") as log,
        httpx.Client(base_url=f"https://{public}", verify=trusted, timeout=30) as outside,
        httpx.Client(base_url=f"http://{inner}", timeout=30) as inside,
    ):
        running = subprocess.Popen([program(), "-db", "-f", folder / "haproxy.cfg"], stdout=log, stderr=log)
        try:
            _wait(metrics, running)
            yield Edge(outside, inside, f"http://{metrics}/metrics", Keys(secrets), processes, running)
        finally:
            running.terminate()
            running.wait(10)
            for process in processes.values():
                process.stop()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _wait(address: str, running: subprocess.Popen[bytes]) -> None:
    host, port = address.split(":")
    for _ in range(100):
        if running.poll() is not None:
            break
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("HAProxy did not start; see haproxy.log")
