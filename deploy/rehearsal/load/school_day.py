"""The deadline day of one school: its clerk and director do what the schedule says when the time has come.

Every call counts from the second of the schedule; only a certification counts from the answer to the confirmation if
that came later, as it cannot be earlier. Pages, files and questions hold up no act: who has seen the roll once confirms
it when the time has come. Who is told that it cannot be done yet (the file is still being checked, a warning is to be
explained, the clerk has not confirmed) sees to it, waits as people do, and tries again, which is counted anew.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.rehearsal.load import calls
from deploy.rehearsal.load.caller import Answer, Call, Caller
from deploy.rehearsal.load.schedule import Step
from deploy.rehearsal.truth import SchoolTruth

POLL_SECONDS, POLL_SECONDS_AT_MOST = 1.5, 15.0
PAUSE = (1.0, 3.0)
_ROLES = {"confirm": "clerk", "certify": "director"}
UNDECIDED = ("received", "checking")


@dataclass(frozen=True, slots=True)
class Record:
    """One answer: of which school or area, and to what kind of call."""

    who: str
    kind: str
    answer: Answer


@dataclass(frozen=True)
class Scene:
    """What everybody of the day shares. `note` takes every record; nobody tries again after the second `until`."""

    caller: Caller
    nation: Path
    passes: calls.Pass
    note: Callable[[Record], None]
    until: float


class SchoolDay:
    """One school; what it has seen of its page stays from one scene to the next. `served`: whether its certification was
    answered well."""

    def __init__(self, school: SchoolTruth, seed: int) -> None:
        self._school, self._code = school, school.code
        self._dice = random.Random(f"{seed}-{school.code}")
        self._page: dict[str, Any] = {}
        self.served = False

    def enter(self, scene: Scene) -> SchoolDay:
        """From now on it is there that the school plays."""
        self._scene = scene
        return self

    async def live(self, steps: Sequence[Step]) -> None:
        """The steps of this school; what is not an act goes on by itself."""
        confirmed = 0.0
        async with asyncio.TaskGroup() as aside:
            for step in steps:
                await self._scene.caller.until(step.second)
                if step.kind == "confirm":
                    await self._act(step.kind, step.second)
                    confirmed = self._now()
                elif step.kind == "certify":
                    await self._act(step.kind, max(step.second, confirmed))
                elif step.kind == "upload":
                    aside.create_task(self.upload(step.second))
                elif step.kind == "look":
                    aside.create_task(self.mend(step.second))
                else:
                    aside.create_task(self._look("director", step.second))

    async def upload(self, due: float | None = None) -> None:
        """Send the file; ask how far it is until it is checked; see to what was found."""
        roll = calls.roll(self._scene.nation, self._school, self._scene.passes)
        while not (taken := await self._send("upload", roll, due)):
            await self._pause(*PAUSE)
            due = self._now()
            if due > self._scene.until:
                return
        pause = POLL_SECONDS
        while self._now() < self._scene.until:
            await self._pause(0.8 * pause, 1.2 * pause)
            pause = min(1.5 * pause, POLL_SECONDS_AT_MOST)
            asked = calls.upload_state(self._code, taken["upload"], self._scene.passes)
            if (await self._send("poll", asked)).get("state", UNDECIDED[0]) not in UNDECIDED:
                await self.mend()
                return

    async def mend(self, due: float | None = None) -> None:
        """Open the school's page, explain the warnings, and claim the pupils that are also on another roll."""
        page, passes = await self._look("clerk", due), self._scene.passes
        if page.get("findings", {}).get("unexplained") and page.get("current_upload"):
            listed = await self._send("look", calls.findings(self._code, page["current_upload"], passes))
            for found in listed.get("findings", ()):
                if found["severity"] == "warning" and not found["explained"]:
                    said = calls.explanation(self._code, found["rule"], found["key"], passes)
                    await self._send("mend", said)
        for case in page.get("cases", ()):
            if case["state"] == "open" and case["answer"] == "none":
                await self._send("mend", calls.claim(self._code, case["case"], passes))

    async def _act(self, kind: str, due: float) -> None:
        if not self._page.get("sha256"):
            await self._look(_ROLES[kind])
        while True:
            said = await self._send(kind, self._call_of(kind), due)
            if "receipt" in said:
                self.served = kind == "certify"
                return
            await self._pause(*PAUSE)
            if self._now() > self._scene.until:
                return
            await (self.mend() if kind == "confirm" else self._look(_ROLES[kind]))
            due = self._now()

    def _call_of(self, kind: str) -> Call:
        """The act on the version the person saw last."""
        sha256, passes = self._page.get("sha256") or "", self._scene.passes
        if kind == "confirm":
            return calls.confirmation(self._code, sha256, passes)
        statement = self._page.get("statement", {}).get("th", "")
        return calls.certification(self._code, sha256, statement, passes)

    async def _look(self, role: str, due: float | None = None) -> dict[str, Any]:
        call = calls.page(f"{role}-{self._code}", role, self._code, self._scene.passes)
        self._page = await self._send("look", call, due) or self._page
        return self._page

    async def _send(self, kind: str, call: Call, due: float | None = None) -> dict[str, Any]:
        """What was answered, if it was good; {} otherwise."""
        answer, body = await self._scene.caller.ask(call, self._now() if due is None else due)
        self._scene.note(Record(self._code, kind, answer))
        said: dict[str, Any] = json.loads(body) if answer.good and body.startswith(b"{") else {}
        return said

    async def _pause(self, shortest: float, longest: float) -> None:
        await self._scene.caller.until(self._now() + self._dice.uniform(shortest, longest))

    def _now(self) -> float:
        return self._scene.caller.now()
