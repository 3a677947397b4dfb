"""The deadline day of one school: its clerk and director do what the schedule says when the time has come.

A person does one thing after another. Each is counted from when it was due, or from when the one before was answered if
that came later. Who is told that it cannot be done yet (the file is still being checked, a warning is to be explained,
the clerk has not confirmed) sees to it, waits as people do, and tries again, which is counted anew.
"""

from __future__ import annotations

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

POLL_SECONDS = 2.0
PAUSE = (1.0, 3.0)
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
    """One school. `served`: whether its certification was answered well."""

    def __init__(self, scene: Scene, school: SchoolTruth, seed: int) -> None:
        self._scene, self._school, self._code = scene, school, school.code
        self._dice = random.Random(f"{seed}-{school.code}")
        self._page: dict[str, Any] = {}
        self.served = False

    async def live(self, steps: Sequence[Step]) -> None:
        """The steps of this school, in order."""
        free = 0.0
        next_due = [*(step.second for step in steps[1:]), self._scene.until]
        for step, following in zip(steps, next_due, strict=False):
            await self._scene.caller.until(step.second)
            due = max(step.second, free)
            if step.kind == "upload":
                await self.upload(due, following)
            elif step.kind in ("confirm", "certify"):
                await self._act(step.kind, due)
            elif step.kind == "look":
                await self.mend(due)
            else:
                await self._look("director", due)
            free = self._now()

    async def upload(self, due: float, following: float) -> None:
        """Send the file; ask how far it is until it is checked or the next thing is due; see to what was found."""
        roll = calls.roll(self._scene.nation, self._school, self._scene.passes)
        while not (taken := await self._send("upload", roll, due)):
            await self._pause(*PAUSE)
            due = self._now()
            if due > self._scene.until:
                return
        while self._now() < following:
            await self._scene.caller.until(min(self._now() + POLL_SECONDS, following))
            asked = calls.upload_state(self._code, taken["upload"], self._scene.passes)
            if (await self._send("poll", asked)).get("state", "received") not in UNDECIDED:
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
        while True:
            said = await self._send(kind, self._call_of(kind), due)
            if "receipt" in said:
                self.served = kind == "certify"
                return
            await self._pause(*PAUSE)
            if self._now() > self._scene.until:
                return
            await (self.mend() if kind == "confirm" else self._look("director"))
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
