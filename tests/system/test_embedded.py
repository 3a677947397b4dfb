"""The embedded system at its address: what the front does before a service sees a request."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from gateway.embedded import Embedded, free_port
from services.kit.clock import set_clock
from tests.support.intake_desk import REGISTER, SCHOOL
from tests.support.rosters import csv_file, roll
from tests.support.tokens import bearer

pytestmark = pytest.mark.xdist_group("embedded")


@pytest.fixture(scope="module")
def system() -> Iterator[Embedded]:
    with tempfile.TemporaryDirectory(prefix="tabian-embedded-", ignore_cleanup_errors=True) as folder:
        made = Embedded(Path(folder), port=free_port())
        made.start()
        yield made
        made.stop()


@pytest.fixture(scope="module")
def client(system: Embedded) -> Iterator[httpx.Client]:
    """A client of a system with a register, an open round and the clock on the day of confirming."""
    set_clock(system.place.clock, datetime.fromisoformat("2021-11-10T09:00:00+07:00"))
    hq = bearer(system.runtimes["intake"].keys, "obec", ("hq", "*"))
    with httpx.Client(base_url=system.address, timeout=20) as made:
        made.post("/api/v1/rounds", json={"round": "2564-2"}, headers=hq)
        made.put("/api/v1/register", content=REGISTER.encode(), headers=hq)
        yield made


@pytest.fixture
def clerk(system: Embedded) -> dict[str, str]:
    return bearer(system.runtimes["intake"].keys, "clerk", ("clerk", SCHOOL))


def path(tail: str = "") -> str:
    return f"/api/v1/rounds/2564-2/schools/{SCHOOL}{tail}"


def test_an_oversized_body_is_refused_before_it_is_read(
    system: Embedded, client: httpx.Client, clerk: dict[str, str]
) -> None:
    """Only the head of the request is sent: 200 MB are announced and the answer is there at once."""
    host, port = system.address.removeprefix("http://").split(":")
    head = (
        f"PUT {path('/roster')} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 200000000\r\n"
        f"Authorization: {clerk['Authorization']}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head.encode())
        answer = b""
        while b"}" not in answer:
            answer += connection.recv(65536)
    assert b" 413 " in answer.split(b"\r\n", 1)[0]
    body = json.loads(answer[answer.index(b"{") :])
    assert body["type"] == "/problems/too-large"
    assert body["detail_th"]


def test_a_client_cannot_say_when_it_arrived(
    client: httpx.Client, system: Embedded, clerk: dict[str, str]
) -> None:
    taken = client.put(path("/roster"), content=csv_file(roll(1, 3)), headers=clerk).json()
    upload = wait_checked(client, taken["location"], clerk)
    set_clock(system.place.clock, datetime.fromisoformat("2021-11-10T16:30:20+07:00"))
    stamp = str(int((time.time() - 50) * 1000))
    headers = {**clerk, "If-Match": f'"{upload["sha256"]}"', "X-Tabian-Received": stamp}
    answer = client.post(path("/confirmation"), headers=headers)
    set_clock(system.place.clock, datetime.fromisoformat("2021-11-10T09:00:00+07:00"))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/outside-window")


def wait_checked(client: httpx.Client, location: str, headers: dict[str, str]) -> dict[str, str]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        upload: dict[str, str] = client.get(location, headers=headers).json()
        if upload["state"] not in ("received", "checking"):
            return upload
        time.sleep(0.05)
    raise TimeoutError(location)


def test_screening_is_noted_seconds_after_an_upload(client: httpx.Client, clerk: dict[str, str]) -> None:
    taken = client.put(path("/roster"), content=csv_file(roll(1, 4)), headers=clerk).json()
    wait_checked(client, taken["location"], clerk)
    deadline = time.monotonic() + 5
    while (note := client.get(path(), headers=clerk).json()["screening"]) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert note["compared_with"] == 0


@pytest.mark.parametrize("where", ["/internal/v1/rounds/2564-2/extracts", "/api/v1/nothing", "/no-such-page"])
def test_what_is_not_offered_is_not_found(client: httpx.Client, clerk: dict[str, str], where: str) -> None:
    assert client.get(where, headers=clerk).status_code == 404


def test_one_correlation_id_is_given_back(client: httpx.Client, clerk: dict[str, str]) -> None:
    given = client.get(path(), headers={**clerk, "X-Request-Id": "a-well-formed-id-1"})
    assert given.headers["X-Request-Id"] == "a-well-formed-id-1"
    hostile = client.get(path(), headers={**clerk, "X-Request-Id": "bad id; rm -rf"})
    assert hostile.headers["X-Request-Id"] != "bad id; rm -rf"
