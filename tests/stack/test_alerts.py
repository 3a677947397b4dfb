"""The stack as its Prometheus sees it, before other tests break it: every process is scraped and no metrics port is open to
others, real faults raise the alert that names them, and every query of a rule or panel finds something."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest

from deploy.rehearsal.deciding import certify, confirm
from deploy.rehearsal.scenario import wait_for
from gateway.stack.mischief import alarmed
from tests.stack.conftest import FOLDER, Scene
from tests.support.watched import Watched
from tests.support.watching import FOREIGN, alerts, panels, records, selectors

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1500)]
SCRAPE_SECONDS = 15
QUIET_SECONDS, DATA_SECONDS, ALERT_SECONDS, OVER_SECONDS = 300, 900, 300, 300
TOLD = FOLDER / "alerts.json"
FAULTS: dict[str, Callable[[Scene], AbstractContextManager[None]]] = {
    "dedup's workers stopped": lambda scene: scene.stopped("dedup-worker"),
    "RabbitMQ stopped": lambda scene: scene.stopped("rabbitmq"),
    "RabbitMQ without memory": lambda scene: alarmed(scene.stack.running("rabbitmq")[0]),
    "PostgreSQL stopped": lambda scene: scene.stopped("postgres"),
}
EMPTY = {
    "alert JobsFail": "no job has failed",
    "broker: ไม่รับรองต่อวินาที · Refused a second": "every message was confirmed",
    "broker: มาซ้ำต่อวินาที · Came again, a second": "nothing came again",
}
"""What rightly finds nothing on a stack that is well. Conservation needs ten minutes; so these come after the faults."""


def _published(scene: Scene) -> dict[str, set[str]]:
    """Service → the addresses of this machine on which it answers."""
    rows = [json.loads(line) for line in scene.stack.compose("ps", "--format", "json").splitlines()]
    told: dict[str, set[str]] = {}
    for row in rows:
        opened = {p["URL"] for p in row["Publishers"] or () if p["PublishedPort"]}
        if opened:
            told.setdefault(row["Service"], set()).update(opened)
    return told


def test_every_process_is_scraped_each_for_itself(scene: Scene, watched: Watched) -> None:
    running = Counter(c.service for c in scene.stack.running())
    wanted = {name: count for name, count in running.items() if name != "postgres"}
    wanted["rabbitmq"] *= 2  # as a whole, and by queue

    def up() -> bool:
        targets = watched.targets()
        found = Counter(t["labels"]["process"] for t in targets if t["health"] == "up")
        return found == Counter(wanted) and all(t["health"] == "up" for t in targets)

    wait_for(up, "every process scraped", QUIET_SECONDS)


def test_what_is_scraped_is_open_to_nobody_else(scene: Scene) -> None:
    assert _published(scene) == {name: {"127.0.0.1"} for name in ("edge", "prometheus", "alertmanager")}
    with scene.stack.client() as client:
        assert client.get("/metrics").status_code == httpx.codes.NOT_FOUND


def test_a_stack_that_is_well_has_one_alert_the_one_that_always_comes(watched: Watched) -> None:
    wait_for(lambda: not watched.firing(), "no alert on", QUIET_SECONDS)
    wait_for(lambda: watched.delivered("Watchdog") == ["active"], "Watchdog delivered", QUIET_SECONDS)


def test_what_others_tell_is_there_under_the_names_that_rules_use(watched: Watched) -> None:
    names = {name for names in FOREIGN.values() for name in names}
    missing = [name for name in sorted(names) if not watched.ask(f"count({name})")]
    assert missing == []


@contextmanager
def _timed(fault: str, alert: str) -> Iterator[None]:
    """Notes how long it took until the alert was on."""
    began = time.monotonic()
    yield
    told = json.loads(TOLD.read_text()) if TOLD.exists() else {}
    told[fault] = {"alert": alert, "seconds": round(time.monotonic() - began, 1)}
    TOLD.write_text(json.dumps(told, indent=2))


@pytest.mark.parametrize(
    ("fault", "wanted", "silenced"),
    [
        (
            "dedup's workers stopped",
            {"alertname": "ProcessDown", "process": "dedup-worker"},
            "QueueWithoutConsumer",
        ),
        ("RabbitMQ stopped", {"alertname": "ProcessDown", "process": "rabbitmq"}, None),
        ("RabbitMQ without memory", {"alertname": "BrokerAlarm", "alarm": "memory"}, None),
        ("PostgreSQL stopped", {"alertname": "DatabaseAway"}, "PoolAway"),
    ],
)
def test_a_fault_raises_its_alert_and_silences_what_follows(
    scene: Scene, watched: Watched, fault: str, wanted: dict[str, str], silenced: str | None
) -> None:
    name = wanted["alertname"]
    with FAULTS[fault](scene):
        with _timed(fault, name):
            wait_for(
                lambda: any(wanted.items() <= labels.items() for labels in watched.firing()),
                name,
                ALERT_SECONDS,
            )
        wait_for(lambda: "active" in watched.delivered(name), f"{name} delivered", ALERT_SECONDS)
        if silenced is not None:
            wait_for(
                lambda: set(watched.delivered(silenced)) == {"suppressed"},
                f"{silenced} silent",
                ALERT_SECONDS,
            )
    wait_for(lambda: not watched.firing(), "all over", OVER_SECONDS)
    scene.wait_whole()


def _queries() -> list[tuple[str, str]]:
    """Of an alert, which finds nothing on a stack that is well, everything that it looks at."""
    looked_at = [
        (f"alert {alert.name}", selector.prettify())
        for alert in alerts()
        for selector in selectors(alert.query)
    ]
    shown = [(f"{panel.dashboard}: {panel.title}", panel.query) for panel in panels()]
    return [*((rule.name, rule.name) for rule in records()), *looked_at, *shown]


def test_every_query_of_a_rule_or_panel_finds_something(scene: Scene, watched: Watched) -> None:
    schools = iter(scene.take(6))
    left = [(where, query) for where, query in _queries() if where not in EMPTY]
    assert len(left) > 150

    def found() -> bool:
        if code := next(schools, None):  # somebody acts between two scrapes
            confirm(scene.stage, scene.people, code)
            certify(scene.stage, scene.people, code)
        time.sleep(SCRAPE_SECONDS)
        left[:] = [(where, query) for where, query in left if not watched.ask(query)]
        return not left

    try:
        wait_for(found, "data for every query", DATA_SECONDS)
    except TimeoutError:
        pytest.fail(f"nothing found by {left}")
