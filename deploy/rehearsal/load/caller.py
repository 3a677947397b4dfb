"""Sends requests and notes when each was due, sent and answered. Who is turned away comes again with the ticket."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import aiohttp

from deploy.rehearsal.journal import Journal
from deploy.rehearsal.person import AWAY

TICKET = "X-Tabian-Ticket"
SLOWEST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one person, who is named in the journal."""

    who: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call: seconds since the load began when it was due, sent first and answered last; the last
    status (0: no answer); how often it was tried."""

    due: float
    sent: float
    done: float
    status: int
    tries: int

    @property
    def waited(self) -> float:
        """Seconds from when the call was due, however late it was sent: a queue in the sender hides nothing."""
        return self.done - self.due

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


class Caller:
    """Many connections to one address. `patience`: seconds for which a person who is turned away comes again."""

    def __init__(
        self, address: str, certificate: Path, journal: Journal, *, lines: int, patience: float = 60.0
    ) -> None:
        self._address, self._journal, self._patience = address, journal, patience
        self._trusted = ssl.create_default_context(cafile=str(certificate))
        self._lines = lines

    async def __aenter__(self) -> Caller:
        connector = aiohttp.TCPConnector(limit=self._lines, ssl=self._trusted, keepalive_timeout=15)
        timeout = aiohttp.ClientTimeout(total=SLOWEST_SECONDS)
        self._session = aiohttp.ClientSession(self._address, connector=connector, timeout=timeout)
        self._began = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def every(self, calls: Sequence[Call], *, at_once: int) -> list[Answer]:
        """Closed loop: so many people, each with the next call as soon as the last is answered."""
        left = iter(calls)
        answers: list[Answer] = []

        async def person() -> None:
            for call in left:
                answers.append(await self.send(call, self._now()))

        await asyncio.gather(*(person() for _ in range(at_once)))
        return answers

    async def paced(self, calls: Sequence[Call], rate: float) -> list[Answer]:
        """Open loop: `rate` calls begin each second, whether or not earlier ones were answered."""
        began = self._now()
        under_way = []
        for number, call in enumerate(calls):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - self._now()))
            under_way.append(asyncio.create_task(self.send(call, due)))
        return list(await asyncio.gather(*under_way))

    async def send(self, call: Call, due: float) -> Answer:
        """One call, again and again while there is no room for it."""
        sent, tries = self._now(), 0
        while True:
            tries += 1
            status, headers = await self._try(call)
            if status not in (0, *AWAY) or self._now() - due > self._patience:
                return Answer(due, sent, self._now(), status, tries)
            if TICKET in headers:
                call = replace(call, headers={**call.headers, TICKET: headers[TICKET]})
            await asyncio.sleep(float(headers.get("Retry-After", "1")) * random.uniform(0.5, 1.5))

    async def _try(self, call: Call) -> tuple[int, Mapping[str, str]]:
        """(status, headers); (0, {}) without an answer: what became of the request is not known then."""
        try:
            async with self._session.request(
                call.method, call.path, headers=call.headers, data=call.body or None
            ) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            self._journal.maybe(call.who, call.method, call.path)
            return 0, {}
        if answer.status in AWAY:
            self._journal.maybe(call.who, call.method, call.path)
        else:
            self._journal.note(call.method, call.path, call.who, answer.status, call.body, text)
        return answer.status, answer.headers

    def _now(self) -> float:
        return time.monotonic() - self._began
