"""Fetching a sealed round's schools with their extracts from the snapshot service, resumed where a connection broke."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx

from services.export.rules.frames import Frame, Interrupted, read_frames
from services.kit.logs import travelling

PATH = "/internal/v1/rounds/{round}/extracts"
TRIES, PAUSE_SECONDS, TIMEOUT_SECONDS = 4, 0.5, 30.0


class Unavailable(Exception):
    """Snapshot does not give the extracts now; `status` is its HTTP status, 0 when it was not reached."""

    def __init__(self, status: int = 0) -> None:
        super().__init__(status)
        self.status = status


def fetch(
    client: httpx.Client, token: str, round_name: str, *, wait: Callable[[float], object] = time.sleep
) -> Iterator[Frame]:
    """Every school's frame in order, until an answer brings none. Raises Unavailable, PackageFault.

    An answer may end after any frame (a server may give few at a time); a broken one is asked for again from the last
    whole frame on, up to TRIES times without any progress."""
    last, failures = "", 0
    while True:
        before = last
        try:
            for frame in _answer(client, token, round_name, last):
                last, failures = frame.school, 0
                yield frame
        except (Interrupted, httpx.TransportError):
            failures += 1
            if failures >= TRIES:
                raise Unavailable from None
            wait(PAUSE_SECONDS * failures)
            continue
        if last == before:
            return


def _answer(client: httpx.Client, token: str, round_name: str, after: str) -> Iterator[Frame]:
    request = client.stream(
        "GET",
        PATH.format(round=round_name),
        params={"after": after},
        headers={"Authorization": f"Bearer {token}", **travelling()},
        timeout=TIMEOUT_SECONDS,
    )
    with request as response:
        if response.status_code != httpx.codes.OK:
            raise Unavailable(response.status_code)
        yield from read_frames(response.iter_bytes())
