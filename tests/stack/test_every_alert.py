"""Every alert, seen to come for a real fault on a running stack, and how long that took: `.tabian/e2e/every-alert.json`. Half an hour;
run by `make alerts`, on a stack of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

import pytest

from deploy.rehearsal.scenario import wait_for
from gateway.stack.mischief import alarmed
from tests.stack.conftest import FOLDER, Scene
from tests.support import faults
from tests.support.watched import Watched
from tests.support.watching import alerts

pytestmark = [pytest.mark.alerts, pytest.mark.timeout(3000)]
SECONDS = 1200
TOLD = FOLDER / "every-alert.json"
Labels = dict[str, str]


@dataclass(frozen=True)
class Fault:
    """`wanted`: the alerts that must come, by name, each with labels that it must have."""

    name: str
    done: Callable[[Scene], AbstractContextManager[object]]
    wanted: dict[str, Labels] = field(default_factory=dict)


GROUPS = {
    "things stand still": (
        Fault(
            "dedup's workers stopped, then a roll sent",
            faults.unscreened,
            {
                "ProcessDown": {"process": "dedup-worker"},
                "QueueWithoutConsumer": {"queue": "dedup"},
                "ConsumerBehind": {},
            },
        ),
        Fault("intake's workers stopped, then a roll sent", faults.unchecked, {"UploadsUnchecked": {}}),
        Fault(
            "export's workers frozen",
            lambda s: s.frozen("export-worker"),
            {"ScrapeFails": {"process": "export-worker"}},
        ),
        Fault(
            "buildings' outbox locked",
            lambda s: faults.locked(s, "buildings", "outbox"),
            {"FiguresOld": {"service": "buildings"}},
        ),
        Fault("connections taken by others", faults.many_connections, {"DatabaseConnections": {}}),
        Fault("the edge's certificate ends in a week", faults.old_certificate, {"CertificateExpires": {}}),
        Fault("Alertmanager stopped", lambda s: s.stopped("alertmanager"), {"AlertingFails": {}}),
    ),
    "a message goes wrong": (
        Fault(
            "an event that snapshot cannot take",
            faults.poison,
            {"ParkedRows": {"service": "intake"}, "DeadLetters": {}},
        ),
        Fault("snapshot's database forgot an event", faults.forgotten, {"ConservationGap": {}}),
        Fault("export's table of packages renamed", faults.no_table, {"JobsFail": {"service": "export"}}),
    ),
    "little time and little room": (
        Fault("a quarter to four, hardly anybody confirmed", faults.late, {"WindowClosing": {}}),
        Fault("the disk of packages full to nine tenths", faults.full_disk, {"DiskFillsUp": {}}),
    ),
    "a crowd": (
        Fault(
            "350 people act, again and again",
            faults.crowd_of_acts,
            {"ActsQueueLong": {}, "ActsLate": {}, "ActsLateSlowly": {}},
        ),
        Fault(
            "250 people open a page, again and again",
            faults.crowd_of_readers,
            {"QueueLong": {"proxy": "portal"}},
        ),
    ),
    "nobody answers": (
        Fault(
            "intake's api stopped, two people act",
            faults.without_acts,
            {"PoolAway": {"proxy": "intake-api"}, "ActsFail": {}, "ActsFailSlowly": {}},
        ),
        Fault(
            "dedup's api stopped, two people look",
            faults.without_duplicates,
            {"AnswersFail": {"proxy": "dedup-api"}},
        ),
    ),
    "the portal's tables held": (
        Fault("two tables locked, 64 people look", faults.portal_held, {"PoolExhausted": {}}),
    ),
    "the broker without memory": (
        Fault(
            "RabbitMQ under its memory alarm",
            lambda s: alarmed(s.stack.running("rabbitmq")[0]),
            {"BrokerAlarm": {"alarm": "memory"}},
        ),
    ),
    "the broker away": (
        Fault(
            "RabbitMQ stopped, then somebody confirms", faults.unsent, {"OutboxOld": {"service": "intake"}}
        ),
    ),
    "the database away": (
        Fault("PostgreSQL stopped", lambda s: s.stopped("postgres"), {"DatabaseAway": {}}),
    ),
    "the watcher alone": (
        Fault("Prometheus cut off from all it watches", faults.cut_off, {"NothingScraped": {}}),
    ),
}
"""What is done at the same time."""


def test_every_alert_has_a_fault_here() -> None:
    seen = {name for group in GROUPS.values() for fault in group for name in fault.wanted}
    assert seen | {"Watchdog"} == {alert.name for alert in alerts()}


@pytest.mark.parametrize("group", GROUPS)
def test_each_fault_raises_its_alerts(scene: Scene, watched: Watched, group: str) -> None:
    left = {(fault.name, name): labels for fault in GROUPS[group] for name, labels in fault.wanted.items()}
    wait_for(lambda: not [one for one in left if _on(watched, one[1], left[one])], "none of them on", SECONDS)
    began: dict[str, float] = {}
    with ExitStack() as done:
        for fault in GROUPS[group]:
            done.enter_context(fault.done(scene))
            began[fault.name] = time.monotonic()

        def all_came() -> bool:
            for fault, name in [one for one in left if _on(watched, one[1], left[one])]:
                _note(fault, name, time.monotonic() - began[fault])
                del left[fault, name]
            return not left

        try:
            wait_for(all_came, "every alert on", SECONDS)
        except TimeoutError:
            pytest.fail(f"never came: {[*left]}")


def _on(watched: Watched, name: str, labels: Labels) -> bool:
    wanted = {"alertname": name, **labels}.items()
    return any(wanted <= on.items() for on in watched.firing())


def _note(fault: str, name: str, seconds: float) -> None:
    told = json.loads(TOLD.read_text()) if TOLD.exists() else []
    TOLD.write_text(
        json.dumps(
            [*told, {"fault": fault, "alert": name, "seconds": round(seconds)}], indent=2, ensure_ascii=False
        )
    )
