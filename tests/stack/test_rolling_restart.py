"""Every process is restarted while people work, and nobody notices."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from deploy.rehearsal.collecting import school_path
from deploy.rehearsal.scenario import BUILDINGS_ROUND, ROUND
from gateway.stack.rolling import roll
from tests.stack.conftest import Scene

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
PAUSE_SECONDS = 0.1
READS = (
    f"/api/v1/rounds/{ROUND}/duplicates",
    "/api/v1/rounds",
    f"/api/v1/bobec/{BUILDINGS_ROUND}/summary",
    f"/api/v1/rounds/{ROUND}/exports",
    "/sign-in",
)


class Load:
    """People who never try twice. `answers`: how often each kind of request was answered well; `failed`: the others."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.stop = scene, threading.Event()
        self.answers: Counter[str] = Counter()
        self.failed: list[str] = []

    def run(self, script: Callable[[httpx.Client], Iterator[tuple[str, httpx.Request]]]) -> None:
        """One person, over and over until the end."""
        with self.scene.stack.client() as client:
            while not self.stop.is_set():
                for kind, request in script(client):
                    self._send(client, kind, request)
                    time.sleep(PAUSE_SECONDS)

    def _send(self, client: httpx.Client, kind: str, request: httpx.Request) -> None:
        try:
            answer = client.send(request)
        except httpx.TransportError as problem:
            self.failed.append(f"{kind}: {problem!r}")
            return
        self.scene.note(answer)
        if answer.is_success:
            self.answers[kind] += 1
        else:
            self.failed.append(f"{kind}: {answer.status_code} {answer.text[:120]}")

    def reader(self, client: httpx.Client) -> Iterator[tuple[str, httpx.Request]]:
        """Headquarters looks at everything."""
        for path in READS:
            yield path, client.build_request("GET", path, headers=self.scene.people.hq.bearer())

    def signing_in(self, client: httpx.Client) -> Iterator[tuple[str, httpx.Request]]:
        said = {"username": "obec", "password": self.scene.stage.passwords["obec"]}
        yield "sign-in", client.build_request("POST", "/api/v1/tokens", json=said)

    def acting(self, code: str) -> Callable[[httpx.Client], Iterator[tuple[str, httpx.Request]]]:
        """A clerk who confirms, looks, and takes it back."""
        path, version = school_path(code, "/confirmation"), self.scene.ready(code)["sha256"]

        def script(client: httpx.Client) -> Iterator[tuple[str, httpx.Request]]:
            headers = {**self.scene.people.clerks[code].bearer(), "If-Match": f'"{version}"'}
            yield "confirm", client.build_request("POST", path, headers=headers)
            yield "school", client.build_request("GET", school_path(code), headers=headers)
            yield "undo", client.build_request("DELETE", path, headers=headers)

        return script

    def sending(self, code: str) -> Callable[[httpx.Client], Iterator[tuple[str, httpx.Request]]]:
        """A clerk who sends the roll again and again."""
        content = self.scene.roll(code)

        def script(client: httpx.Client) -> Iterator[tuple[str, httpx.Request]]:
            headers = {**self.scene.people.clerks[code].bearer(), "X-Filename": f"{code}.csv"}
            path = school_path(code, "/roster")
            yield "upload", client.build_request("PUT", path, content=content, headers=headers)

        return script


def test_nobody_is_turned_away_while_everything_restarts(scene: Scene) -> None:
    acting, sending = scene.take(2)
    load = Load(scene)
    scripts = (load.reader, load.signing_in, load.acting(acting), load.sending(sending))
    people = [threading.Thread(target=load.run, args=(script,)) for script in scripts]
    for person in people:
        person.start()
    try:
        roll(scene.stack, lambda _: None)
    finally:
        load.stop.set()
        for person in people:
            person.join()
    assert load.failed == []
    kinds = {*READS, "sign-in", "confirm", "school", "undo", "upload"}
    assert {kind: load.answers[kind] >= 20 for kind in kinds} == dict.fromkeys(kinds, True)
    scene.wait_whole()
