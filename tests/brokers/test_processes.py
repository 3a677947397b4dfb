"""`tabian service`: each process of a service on its own, as a deployment starts and stops it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from gateway.embedded import free_port
from gateway.portal import certificate
from gateway.portal.app import SERVICE as PORTAL
from services.contracts.export import PackageBuilt
from services.export.app import SERVICE as EXPORT
from services.intake import metrics as intake_metrics
from services.intake.app import SERVICE as INTAKE
from services.kit import metrics
from services.kit.messaging import outbox as rows
from services.kit.service import Service
from services.snapshot.app import SERVICE as SNAPSHOT
from tests.support.bench import Bench
from tests.support.brokers import sample, until
from tests.support.collector import Collector
from tests.support.rabbitmq import Node

pytestmark = pytest.mark.xdist_group("rabbitmq")


class Process:
    """A running `tabian service …`; its metrics and, if it has one, its web port are free ones."""

    def __init__(self, folder: Path, name: str, part: str, **environment: str) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        self._log = folder / f"{name}-{part}.log"
        given = {
            "TABIAN_PORT": str(self.port),
            "TABIAN_METRICS_PORT": str(self.metrics_port),
            "TABIAN_DATA": str(folder / "data"),
        }
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TABIAN_")}
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli", "service", name, part],
                env=clean | given | environment,
                stdout=output,
                stderr=output,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def metrics(self) -> str:
        return self._get(self.metrics_port, "/metrics")

    def health(self) -> str:
        return self._get(self.port, "/healthz")

    def _get(self, port: int, path: str) -> str:
        assert self.process.poll() is None, self.output
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5).text
        except httpx.TransportError:
            return ""

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path, keys: Path, node: Node) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def one(bench: Bench, part: str, **more: str) -> Process:
        environment = {
            "TABIAN_DATABASE_URL": bench.runtime.settings.database_url,
            "TABIAN_BROKER_URL": node.url,
            "TABIAN_KEYS": str(keys),
            "TABIAN_SNAPSHOT_URL": "http://127.0.0.1:9",
            **more,
        }
        made.append(Process(tmp_path, bench.runtime.service.name, part, **environment))
        return made[-1]

    yield one
    for process in made:
        process.process.kill()
        process.process.wait(10)


def test_a_relay_and_a_worker_carry_an_event_and_end_when_told(
    bench: Callable[[Service], Bench], start: Callable[..., Process]
) -> None:
    export, snapshot = bench(EXPORT), bench(SNAPSHOT)
    relay, worker = start(export, "relay"), start(snapshot, "worker")
    with export.database.transaction() as tx:
        tx.publish(sample(PackageBuilt), subject="2564-2")

    def settled() -> bool:
        with export.database.transaction() as tx:
            row = tx.execute(sa.select(rows)).one()
        return bool(row.applied + row.parked)

    until(settled, seconds=30)
    assert 'tabian_events_published_total{service="export"' in relay.metrics()
    assert 'tabian_broker_connected{role="consumer"} 1.0' in worker.metrics()
    assert (relay.terminate(), worker.terminate()) == (0, 0)
    assert "process ended" in worker.output


def test_a_process_without_broker_or_database_waits_and_still_ends_when_told(
    bench: Callable[[Service], Bench], start: Callable[..., Process]
) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    processes = [
        start(bench(EXPORT), part, TABIAN_BROKER_URL="amqp://127.0.0.1:9/", TABIAN_DATABASE_URL=nowhere)
        for part in ("relay", "worker")
    ]
    for process in processes:
        until(process.metrics, seconds=60)
        assert process.terminate() == 0, process.output


def test_an_api_answers_on_its_port_and_tells_its_metrics_on_another(
    bench: Callable[[Service], Bench], start: Callable[..., Process]
) -> None:
    api = start(bench(SNAPSHOT), "api")
    assert until(api.health) == '{"status":"ok","service":"snapshot"}\n'
    assert "tabian_http_request_seconds_count" in until(api.metrics)
    assert api.terminate() == 0


def _names(module: ModuleType | None) -> set[str]:
    """The metrics that a module declares, as a scrape names them."""
    made = vars(module).values() if module else ()
    collectors = [one for one in made if isinstance(one, MetricWrapperBase)]
    return {f"{one._name}_total" if isinstance(one, Counter) else one._name for one in collectors}


@pytest.mark.parametrize(
    ("service", "part", "own"),
    [
        (INTAKE, "relay", intake_metrics),
        (INTAKE, "worker", intake_metrics),
        (INTAKE, "api", intake_metrics),
        (EXPORT, "relay", None),
        (PORTAL, "api", certificate),
    ],
    ids=lambda given: getattr(given, "name", given if isinstance(given, str) else ""),
)
def test_a_process_serves_what_its_service_declares_and_nothing_of_another(
    bench: Callable[..., Bench],
    start: Callable[..., Process],
    service: Service,
    part: str,
    own: ModuleType | None,
) -> None:
    more = {"TABIAN_API_URL": "http://127.0.0.1:9"} if service is PORTAL else {}
    process = start(bench(service, parts={"api": None}), part, **more)
    text = until(process.metrics, seconds=60)
    served = {name for name in re.findall(r"^# TYPE (tabian_\w+) ", text, re.MULTILINE)}
    assert served == _names(metrics) | _names(own)
    assert f'tabian_pool_size{{service="{service.name}"}}' in text
    assert "_created" not in text


@pytest.mark.parametrize(("service", "part"), [(INTAKE, "relay"), (PORTAL, "api")], ids=["intake", "portal"])
def test_who_measures_tells_of_its_database_and_messages(
    bench: Callable[..., Bench], start: Callable[..., Process], service: Service, part: str
) -> None:
    more = {"TABIAN_API_URL": "http://127.0.0.1:9"} if service is PORTAL else {}
    process = start(bench(service, parts={"api": None}), part, **more)
    readings = {"outbox", "conservation", "database", "submissions", "window", "uploads"}
    expected = readings if service is INTAKE else {"database", "certificate"}

    def taken() -> bool:
        told = process.metrics()
        return all(f'tabian_measured_timestamp_seconds{{reading="{name}"' in told for name in expected)

    until(taken, seconds=60)
    given = {
        re.split(r"[{ ]", line)[0] for line in process.metrics().splitlines() if not line.startswith("#")
    }
    assert {name for name in _names(metrics) if name.startswith("tabian_database_")} <= given
    if service is INTAKE:
        messages = {"waiting", "oldest_seconds", "parked", "rows"}
        assert {f"tabian_outbox_{name}" for name in messages} | {"tabian_applied_lag_seconds"} <= given
        assert {"tabian_inbox_rows", "tabian_uploads_waiting", "tabian_uploads_oldest_seconds"} <= given


def test_a_process_writes_nothing_but_lines_of_json_and_sends_its_spans_before_it_ends(
    bench: Callable[[Service], Bench], start: Callable[..., Process], collector: Collector
) -> None:
    made = bench(SNAPSHOT)
    api, worker, relay = (
        start(made, part, TABIAN_LOG_LEVEL="DEBUG", OTEL_BSP_SCHEDULE_DELAY="60000")
        for part in ("api", "worker", "relay")
    )
    until(api.health)
    assert httpx.get(f"http://127.0.0.1:{api.port}/api/v1/rounds").status_code == 401
    until(lambda: '"reading"' in worker.output)
    assert [process.terminate() for process in (api, worker, relay)] == [0, 0, 0]
    for process in (api, worker, relay):
        lines = [json.loads(line) for line in process.output.splitlines()]
        assert len(lines) > 1
        assert all({"time", "level", "message", "correlation_id"} <= line.keys() for line in lines)
    assert "Listening at" in api.output, "gunicorn's own"
    seen = collector.one("GET /api/v1/rounds")
    assert (seen.service, seen.attributes["http.response.status_code"]) == ("snapshot", 401)
    assert not [span for span in collector.spans if "healthz" in span.name]


def test_migrate_brings_an_empty_database_to_the_head_and_ends(
    bench: Callable[[Service], Bench], start: Callable[..., Process]
) -> None:
    made = bench(EXPORT)
    with made.database.engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    migration = start(made, "migrate")
    assert migration.process.wait(60) == 0, migration.output
    assert "export: 0" in migration.output
    with made.database.transaction() as tx:
        assert tx.execute(sa.select(rows)).all() == []


@pytest.mark.parametrize("part", ["api", "uploads", "worker", "relay", "migrate"])
def test_what_is_missing_is_said_and_the_process_ends(tmp_path: Path, part: str) -> None:
    process = Process(tmp_path, "intake", part)
    assert process.process.wait(60) == 1
    assert "TABIAN_DATABASE_URL is missing" in process.output


def test_a_service_without_events_has_no_relay(tmp_path: Path) -> None:
    process = Process(tmp_path, "portal", "relay")
    assert process.process.wait(60) == 1
    assert "portal has no relay" in process.output


def test_web_processes_never_load_a_client_of_the_broker() -> None:
    script = (
        "import sys, gateway.cli.service as s\n"
        "[s.declared(name) for name in s.WHERE]\n"
        "import services.kit.http, services.kit.runtime\n"
        "sys.exit(bool({'kombu', 'pika', 'amqp'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
