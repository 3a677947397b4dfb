"""Who is told: every alert goes where its severity says, and a cause silences what follows from it, in a real Alertmanager."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.rehearsal.scenario import wait_for
from tests.support.alertmanager import Alertmanager, delivery_desk, running_alertmanager
from tests.support.watching import ALERTMANAGER, FOREIGN, alerts, program

SEVERITIES = {"page", "ticket", "heartbeat"}
RABBITMQ = {"alertname": "ProcessDown", "process": "rabbitmq"}
WORKER = {"alertname": "ProcessDown", "process": "dedup-worker", "service": "dedup"}
RELAY = {"alertname": "ProcessDown", "process": "intake-relay", "service": "intake"}
PORTAL = {"alertname": "ProcessDown", "process": "portal"}
DATABASE = {"alertname": "DatabaseAway"}
NOTHING = {"alertname": "NothingScraped"}
QUEUE = {"alertname": "QueueWithoutConsumer", "queue": "dedup", "service": "dedup"}
REPORTS = {"alertname": "QueueWithoutConsumer", "queue": "intake.reports", "service": "intake"}
BEHIND = {"alertname": "ConsumerBehind", "producer": "intake", "consumer": "dedup", "service": "dedup"}
OUTBOX = {"alertname": "OutboxOld", "service": "intake"}
POOL = {"alertname": "PoolAway", "proxy": "portal", "process": "portal"}


def _amtool(*words: str) -> str:
    done = subprocess.run([program("amtool"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_alertmanager_takes_the_configuration() -> None:
    _amtool("check-config", str(ALERTMANAGER))


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_every_alert_reaches_the_receiver_of_its_severity(alert: Any) -> None:
    severity = alert.labels["severity"]
    assert severity in SEVERITIES
    words = [f"alertname={alert.name}", *(f"{name}={value}" for name, value in alert.labels.items())]
    assert _amtool("config", "routes", "test", f"--config.file={ALERTMANAGER}", *words) == severity


def test_what_has_no_severity_is_a_ticket() -> None:
    told = _amtool("config", "routes", "test", f"--config.file={ALERTMANAGER}", "alertname=Unheard")
    assert told == "ticket"


def test_every_alert_that_an_inhibition_names_exists() -> None:
    told = yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8"))
    named = {
        name
        for rule in told["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        if matcher.startswith("alertname")
        for name in matcher.split('"')[1].split("|")
    }
    assert named <= {alert.name for alert in alerts()}


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with running_alertmanager(ALERTMANAGER, tmp_path_factory.mktemp("alertmanager")) as running:
        yield running


def test_alertmanager_tells_of_itself_what_rules_ask(alertmanager: Alertmanager) -> None:
    text = alertmanager.client.get("/metrics").text
    assert all(f"# TYPE {name} " in text for name in FOREIGN["alertmanager"])


@pytest.mark.parametrize(
    ("cause", "effect"),
    [
        (NOTHING, PORTAL),
        (PORTAL, POOL),
        (WORKER, QUEUE),
        (WORKER, BEHIND),
        (RELAY, OUTBOX),
        (RELAY, REPORTS),
        (RABBITMQ, QUEUE),
        (RABBITMQ, OUTBOX),
        ({"alertname": "BrokerAlarm", "alarm": "memory"}, OUTBOX),
        (DATABASE, POOL),
        (DATABASE, OUTBOX),
        (QUEUE, BEHIND),
        (
            {"alertname": "DeadLetters", "queue": "dedup.dead"},
            {"alertname": "ParkedRows", "service": "intake"},
        ),
        ({"alertname": "ActsFail"}, {"alertname": "ActsFailSlowly"}),
        ({"alertname": "ActsLate"}, {"alertname": "ActsLateSlowly"}),
    ],
    ids=lambda labels: " ".join(labels.values()),
)
def test_a_cause_silences_what_follows(
    alertmanager: Alertmanager, cause: dict[str, str], effect: dict[str, str]
) -> None:
    alertmanager.fire(cause, effect)
    try:
        wait_for(lambda: alertmanager.silenced(effect), "the effect silenced", 10)
        assert not alertmanager.silenced(cause)
    finally:
        alertmanager.end(cause, effect)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (WORKER, REPORTS),
        (WORKER, {**QUEUE, "queue": "snapshot", "service": "snapshot"}),
        (RELAY, {**QUEUE, "queue": "intake", "service": "intake"}),
        (PORTAL, {**POOL, "proxy": "dedup-api", "process": "dedup-api"}),
        (RABBITMQ, POOL),
        (RABBITMQ, DATABASE),
        ({"alertname": "BrokerAlarm", "alarm": "disk"}, QUEUE),
        (DATABASE, {"alertname": "ActsFail"}),
        ({"alertname": "ActsQueueLong"}, {"alertname": "ActsLate"}),
    ],
    ids=lambda labels: " ".join(labels.values()),
)
def test_what_does_not_follow_is_told(
    alertmanager: Alertmanager, one: dict[str, str], other: dict[str, str]
) -> None:
    alertmanager.fire(one)
    alertmanager.fire(other)  # taken in order, so the first is known when the second is there
    try:
        assert not alertmanager.silenced(other)
        assert not alertmanager.silenced(one)
    finally:
        alertmanager.end(one, other)


def test_the_receivers_of_a_deployment_are_told_once_and_only_of_the_cause(tmp_path: Path) -> None:
    with delivery_desk() as desk:
        (tmp_path / "token").write_text("a word of the pager's", encoding="utf-8")
        configuration = _with_receivers(tmp_path, desk.port)
        with running_alertmanager(configuration, tmp_path) as running:
            running.fire({**RABBITMQ, "severity": "page"}, {**OUTBOX, "severity": "page"})
            running.fire({"alertname": "CertificateExpires", "severity": "ticket"})
            wait_for(lambda: len(desk.came) >= 2, "two notifications", 15)
        shown = "Bearer a word of the pager's"
        assert sorted(desk.came) == [
            ("/page", "ProcessDown", shown),
            ("/ticket", "CertificateExpires", shown),
        ]


def _with_receivers(folder: Path, port: int) -> Path:
    """A deployment's copy of the configuration, with receivers of its own, as docs/runbook.md says; and it waits less."""
    told = yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8"))
    for receiver in told["receivers"]:
        receiver["webhook_configs"] = [
            {
                "url": f"http://127.0.0.1:{port}/{receiver['name']}",
                "http_config": {"authorization": {"credentials_file": str(folder / "token")}},
            }
        ]
    for route in (told["route"], *told["route"]["routes"]):
        route["group_wait"] = "1s"
    own = folder / "alertmanager.yml"
    own.write_text(yaml.safe_dump(told), encoding="utf-8")
    return own
