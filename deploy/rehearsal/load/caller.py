"""Sends requests and notes when each was due, sent and answered. Who is turned away comes again with the ticket."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Iterable, Mapping
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
    status (0: no answer); how often it was tried; the longest that one try was left without an answer."""

    due: float
    sent: float
    done: float
    status: int
    tries: int
    silent: float = 0.0

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

    async def every(self, calls: Iterable[Call], *, at_once: int) -> list[Answer]:
        """Closed loop: so many people, each with the next call as soon as the last is answered. A call is made when it is
        its turn, so that a nation's files are never in memory together."""
        left = iter(calls)
        answers: list[Answer] = []

        async def person() -> None:
            for call in left:
                answers.append(await self.send(call, self.now()))

        await asyncio.gather(*(person() for _ in range(at_once)))
        return answers

    async def paced(self, calls: Iterable[Call], rate: float) -> list[Answer]:
        """Open loop: `rate` calls begin each second, whether or not earlier ones were answered."""
        began = self.now()
        under_way = []
        for number, call in enumerate(calls):
            due = began + number / rate
            await self.until(due)
            under_way.append(asyncio.create_task(self.send(call, due)))
        return list(await asyncio.gather(*under_way))

    async def send(self, call: Call, due: float) -> Answer:
        """One call, again and again while there is no room for it."""
        answer, _ = await self.ask(call, due)
        return answer

    async def ask(self, call: Call, due: float) -> tuple[Answer, bytes]:
        """The same, with the body of the answer."""
        sent, tries, silent = self.now(), 0, 0.0
        while True:
            tries, began = tries + 1, self.now()
            status, headers, body = await self._try(call)
            silent = max(silent, self.now() - began)
            if status not in (0, *AWAY) or self.now() - due > self._patience:
                return Answer(due, sent, self.now(), status, tries, silent), body
            if TICKET in headers:
                call = replace(call, headers={**call.headers, TICKET: headers[TICKET]})
            await asyncio.sleep(float(headers.get("Retry-After", "1")) * random.uniform(0.5, 1.5))

    async def until(self, second: float) -> None:
        """Wait for that second of the load."""
        await asyncio.sleep(max(0.0, second - self.now()))

    def now(self) -> float:
        """Seconds since the load began."""
        return time.monotonic() - self._began

    async def _try(self, call: Call) -> tuple[int, Mapping[str, str], bytes]:
        """(status, headers, body); (0, {}, b"") without an answer: what became of the request is not known then."""
        try:
            async with self._session.request(
                call.method, call.path, headers=call.headers, data=call.body or None
            ) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            self._journal.maybe(call.who, call.method, call.path)
            return 0, {}, b""
        if answer.status in AWAY:
            self._journal.maybe(call.who, call.method, call.path)
        else:
            self._journal.note(call.method, call.path, call.who, answer.status, call.body, text)
        return answer.status, answer.headers, text
