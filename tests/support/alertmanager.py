"""A real Alertmanager of a test's own, and a place where it may deliver."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from gateway.embedded import free_port
from tests.support.programs import running
from tests.support.watching import program

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """The running program, spoken to as Prometheus and amtool do."""

    client: httpx.Client

    def fire(self, *alerts: Labels) -> None:
        """These alerts are on until they are ended."""
        self._post([{"labels": dict(labels)} for labels in alerts])

    def end(self, *alerts: Labels) -> None:
        now = datetime.now(UTC).isoformat()
        self._post([{"labels": dict(labels), "endsAt": now} for labels in alerts])

    def silenced(self, labels: Labels) -> bool:
        """Whether another alert inhibits this one, which is on."""
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        found = self.client.get("/api/v2/alerts", params={"filter": wanted}).raise_for_status().json()
        (alert,) = [one for one in found if one["labels"] == dict(labels)]
        return bool(alert["status"]["inhibitedBy"])

    def _post(self, alerts: list[dict[str, Any]]) -> None:
        self.client.post("/api/v2/alerts", json=alerts).raise_for_status()


@contextmanager
def running_alertmanager(configuration: Path, folder: Path) -> Iterator[Alertmanager]:
    """Alertmanager with this configuration and its data in `folder`; ends with the block."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("alertmanager", "prometheus-alertmanager"),
        f"--config.file={configuration}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (
        running(command, f"http://{address}", folder / "alertmanager.log"),
        httpx.Client(base_url=f"http://{address}") as client,
    ):
        yield Alertmanager(client)


@dataclass
class Desk:
    """Where alerts are delivered: path → the alerts' names and the Authorization that came with them."""

    port: int
    came: list[tuple[str, str, str]] = field(default_factory=list)


@contextmanager
def delivery_desk() -> Iterator[Desk]:
    """A web server that takes whatever is posted to it."""

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            shown = self.headers.get("Authorization", "")
            desk.came += [(self.path, alert["labels"]["alertname"], shown) for alert in told["alerts"]]
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    desk = Desk(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
