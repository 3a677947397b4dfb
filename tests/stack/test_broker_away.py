"""Without the broker schools go on sending and confirming; what it never delivered, or forgot, arrives afterwards."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.rehearsal.collecting import school_path
from deploy.rehearsal.deciding import certify, confirm
from deploy.rehearsal.scenario import wait_for
from gateway.stack.mischief import wipe
from tests.stack.conftest import Scene

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
AWAY_SECONDS = 60.0
CONSUMERS = [f"{name}-worker" for name in ("dedup", "snapshot", "buildings", "export")]


def send_and_confirm(scene: Scene, code: str) -> str:
    """A roll with one pupil less than before, confirmed and certified; returns its version."""
    upload = scene.send_roll(code, one_less(scene.roll(code)))
    assert upload["state"] == "accepted", upload
    assert scene.ready(code)["sha256"] == upload["sha256"]
    confirm(scene.stage, scene.people, code)
    certify(scene.stage, scene.people, code)
    assert scene.people.clerks[code].ask(school_path(code))["state"] == "certified"
    return str(upload["sha256"])


def one_less(roll: bytes) -> bytes:
    """The file without its last row."""
    return b"".join(roll.splitlines(keepends=True)[:-1])


def unapplied(scene: Scene) -> int:
    return int(scene.ask("intake", "SELECT count(*) FROM outbox WHERE awaiting <> '{}'")[0])


def at_snapshot(scene: Scene, code: str) -> str:
    return str(scene.ask("snapshot", f"SELECT sha256 FROM submission WHERE school = '{code}'")[0])


def test_a_minute_without_the_broker_stops_no_school(scene: Scene) -> None:
    schools = scene.take(4)
    with scene.stopped("rabbitmq"):
        began = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            versions = dict(
                zip(schools, pool.map(lambda c: send_and_confirm(scene, c), schools), strict=True)
            )
        assert unapplied(scene) >= len(schools)
        assert time.monotonic() - began < AWAY_SECONDS, "the broker must be away all the while"
        time.sleep(AWAY_SECONDS - (time.monotonic() - began))
    scene.wait_whole()
    assert {code: at_snapshot(scene, code) for code in schools} == versions


def test_a_broker_that_forgets_is_told_again(scene: Scene) -> None:
    schools = scene.take(2)
    unsent = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
    with scene.frozen(*CONSUMERS):
        versions = {code: send_and_confirm(scene, code) for code in schools}
        wait_for(lambda: scene.ask("intake", unsent) == [0], "all of it lying at the broker")
        assert unapplied(scene) >= len(schools)
        wipe(scene.stack.running("rabbitmq")[0])
    scene.wait_whole()
    assert {code: at_snapshot(scene, code) for code in schools} == versions
