"""What can go wrong with a stack so that its alerts are on: each done on purpose, for as long as a block lasts, and ended after it.

Not here: which alert must be on (tests/stack/test_every_alert.py), and mischief that ends by itself (`gateway.stack.mischief`).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.rehearsal.deciding import confirm
from deploy.rehearsal.load.caller import Call
from deploy.rehearsal.load.calls import confirmation
from deploy.rehearsal.load.flood import NO_VERSION, Flood
from deploy.rehearsal.scenario import ROUND
from gateway.cli.stack import MORNING
from gateway.cli.yard import superuser
from gateway.portal.tokens import sign
from gateway.stack.compose import docker
from services.contracts.access import Grant
from services.kit.keys import Keys
from tests.stack.conftest import Scene
from tests.stack.test_broker_away import one_less
from tests.stack.test_poison import poisoned, tool

LONGEST_SECONDS = 1200.0
BUSY = 0.9
"""The part of a disk that is full when it fills up."""
QUARTER_TO_FOUR = datetime.fromisoformat("2021-11-10T15:45:00+07:00")


def headers(scene: Scene, username: str, role: str, scope: str) -> dict[str, str]:
    """Who asks, signed in a moment ago."""
    keys = Keys(scene.stack.secrets)
    token = sign(
        keys, username=username, name=username, grants=[Grant(role, scope)], auth_time=int(time.time())
    )
    return {"Authorization": f"Bearer {token}"}


@contextmanager
def crowd(scene: Scene, asked: Sequence[Call], lines: int) -> Iterator[None]:
    """So many ask, each again as soon as it was answered."""
    place = scene.stack.folder / f"crowd-{lines}"  # of its own: each has its plan in a file
    with Flood(scene.stack.address, asked, lines, LONGEST_SECONDS, place) as flood:
        try:
            yield
        finally:
            flood.stop()


def crowd_of_acts(scene: Scene, lines: int = 350) -> Any:
    """Confirmations of a version that never was: refused, and as much work as others."""
    codes = list(scene.people.clerks)[:20]
    return crowd(
        scene, [confirmation(code, NO_VERSION, lambda *who: headers(scene, *who)) for code in codes], lines
    )


def crowd_of_readers(scene: Scene) -> Any:
    return crowd(scene, [Call("", "GET", "/sign-in")], 250)


@contextmanager
def without(scene: Scene, service: str, asked: Sequence[Call]) -> Iterator[None]:
    """No process of the service, and some who ask it nevertheless."""
    with scene.stopped(service), crowd(scene, asked, 2):
        yield


def without_acts(scene: Scene) -> Any:
    code = next(iter(scene.people.clerks))
    return without(scene, "intake-api", [confirmation(code, NO_VERSION, lambda *who: headers(scene, *who))])


def without_duplicates(scene: Scene) -> Any:
    asked = Call("", "GET", f"/api/v1/rounds/{ROUND}/duplicates", headers(scene, "obec", "hq", "*"))
    return without(scene, "dedup-api", [asked])


@contextmanager
def unscreened(scene: Scene) -> Iterator[None]:
    """A roll comes when nobody compares."""
    (code,) = scene.take(1)
    with scene.stopped("dedup-worker"):
        scene.send_roll(code, one_less(scene.roll(code)))
        yield


@contextmanager
def unchecked(scene: Scene) -> Iterator[None]:
    """A roll comes when nobody checks."""
    (code,) = scene.take(1)
    path = f"/api/v1/rounds/{ROUND}/schools/{code}/roster"
    about = {**headers(scene, f"clerk-{code}", "clerk", code), "Content-Type": "application/octet-stream"}
    with scene.stopped("intake-worker"):
        scene.note(scene.stage.client.put(path, content=one_less(scene.roll(code)), headers=about))
        yield


@contextmanager
def unsent(scene: Scene) -> Iterator[None]:
    """Somebody confirms when the broker is away."""
    (code,) = scene.take(1)
    with scene.stopped("rabbitmq"):
        confirm(scene.stage, scene.people, code)
        yield


@contextmanager
def locked(scene: Scene, service: str, *tables: str) -> Iterator[None]:
    """Somebody holds these tables of a service for themselves."""
    url = superuser(scene.stack, f"tabian_{service}")
    with psycopg.connect(url) as connection:
        connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE".encode())
        yield
        connection.rollback()


@contextmanager
def many_connections(scene: Scene) -> Iterator[None]:
    """Nine in ten of the server's connections are taken."""
    with ExitStack() as opened:
        asked = opened.enter_context(psycopg.connect(superuser(scene.stack)))
        count = b"SELECT current_setting('max_connections')::int, count(*) FROM pg_stat_activity"
        ((most, there),) = asked.execute(count).fetchall()
        for _ in range(int(BUSY * most) - there):
            opened.enter_context(psycopg.connect(superuser(scene.stack)))
        yield


@contextmanager
def portal_held(scene: Scene) -> Iterator[None]:
    """Everybody with a session waits for a table, and who asks whether the portal is well, for another."""
    with (
        _signed_in(scene) as visitor,
        ThreadPoolExecutor(64) as pool,
        locked(scene, "portal", "session", "alembic_version"),
    ):
        asked = [pool.submit(_look, visitor) for _ in range(64)]
        try:
            yield
        finally:
            for one in asked:
                one.cancel()


def _signed_in(scene: Scene) -> httpx.Client:
    """A browser in which headquarters is signed in."""
    browser = scene.stack.client()
    browser.headers["Referer"] = f"{scene.stack.address}/sign-in"
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in").text)
    assert token is not None
    said = {"csrf_token": token[1], "username": "obec", "password": scene.stage.passwords["obec"]}
    assert browser.post("/sign-in", data=said).is_redirect
    return browser


def _look(visitor: httpx.Client) -> None:
    with suppress(httpx.HTTPError):
        visitor.get("/", timeout=LONGEST_SECONDS)


@contextmanager
def poison(scene: Scene) -> Iterator[None]:
    event = poisoned(scene)
    try:
        yield
    finally:
        tool(scene, "discard", event, "--reason", "it was put there on purpose")


@contextmanager
def forgotten(scene: Scene) -> Iterator[None]:
    """Snapshot's database lost what it had applied last."""
    url = superuser(scene.stack, "tabian_snapshot")
    with psycopg.connect(url, autocommit=True) as connection:
        last = b"DELETE FROM inbox WHERE event_id = (SELECT max(event_id::text)::uuid FROM inbox) RETURNING *"
        cursor = connection.execute(last)
        row, names = cursor.fetchone(), [column.name for column in cursor.description or ()]
        assert row is not None
        try:
            yield
        finally:
            back = f"INSERT INTO inbox ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
            connection.execute(back.encode(), row)


@contextmanager
def no_table(scene: Scene) -> Iterator[None]:
    """Export's worker finds no table of packages."""
    with psycopg.connect(superuser(scene.stack, "tabian_export"), autocommit=True) as connection:
        connection.execute(b"ALTER TABLE export RENAME TO export_away")
        try:
            yield
        finally:
            connection.execute(b"ALTER TABLE export_away RENAME TO export")


@contextmanager
def full_disk(scene: Scene) -> Iterator[None]:
    """A file takes what is free on the disk of packages, all but a tenth. Reserved, not written."""
    volume = json.loads(docker("volume", "inspect", f"{scene.stack.name}_export-data"))[0]["Mountpoint"]
    filler, disk = Path(volume) / "filler", shutil.disk_usage(volume)
    try:
        size = str(int(disk.free - (1 - BUSY) * disk.total))
        subprocess.run(["fallocate", "--length", size, str(filler)], check=True)
        yield
    finally:
        filler.unlink(missing_ok=True)


@contextmanager
def old_certificate(scene: Scene) -> Iterator[None]:
    """The edge shows a certificate that ends within a week."""
    file = scene.stack.secrets / "edge.pem"
    before = file.read_bytes()
    key = load_pem_private_key(before, None)
    old = x509.load_pem_x509_certificate(before)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
    )
    for extension in old.extensions:
        made = made.add_extension(extension.value, extension.critical)
    shown = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]
    file.write_bytes(before[: before.index(b"-----BEGIN CERT")] + shown)
    _reload(scene)
    try:
        yield
    finally:
        file.write_bytes(before)
        _reload(scene)


def _reload(scene: Scene) -> None:
    for edge in scene.stack.running("edge"):
        docker("kill", "--signal", "HUP", edge.id)


@contextmanager
def cut_off(scene: Scene) -> Iterator[None]:
    """Prometheus reaches nobody, and is reached."""
    (prometheus,) = scene.stack.running("prometheus")
    networks = [f"{scene.stack.name}_{name}" for name in ("front", "back")]
    for network in networks:
        docker("network", "disconnect", network, prometheus.id)
    try:
        yield
    finally:
        for network in networks:
            docker("network", "connect", network, prometheus.id)


@contextmanager
def late(scene: Scene) -> Iterator[None]:
    """A quarter to four, and most schools have not confirmed."""
    scene.stage.set_clock(QUARTER_TO_FOUR)
    try:
        yield
    finally:
        scene.stage.set_clock(MORNING)
