"""A flood that only adds pressure: made by wrk, which is written in C, so that the recorded clients' sender is not slowed by
it. Its requests change nothing (acts on a version that never was, the page where one signs in), and nobody records
them; how many were answered how is all that is kept.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.rehearsal.load import calls
from deploy.rehearsal.load.caller import Call

NO_VERSION = "0" * 64
_SCRIPT = Path(__file__).with_name("flood.lua")
_PEOPLE = 40


def flood_calls(schools: Sequence[str], passes: calls.Pass) -> list[Call]:
    """What the flood asks in turn: an act that must be refused, a page; of some of the schools."""
    asked = []
    for code in schools[:_PEOPLE]:
        asked += [calls.confirmation(code, NO_VERSION, passes), Call("", "GET", "/sign-in")]
    return asked


@dataclass(frozen=True, slots=True)
class Flooded:
    """What came of it: requests answered, a second; by status; and how many broke off."""

    requests: int
    per_s: float
    statuses: dict[str, int]
    broken: int


class Flood:
    """wrk against `address` while the block lasts, at most `seconds`. `rate` is what comes in a second as long as answers
    come quickly; a slow system is given less, as each connection waits for its answer. Raises OSError where there is
    no wrk."""

    def __init__(
        self, address: str, asked: Sequence[Call], rate: float, seconds: float, folder: Path
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        plan = folder / "flood.json.lua"
        plan.write_text("return {" + ",".join(_lua(call) for call in asked) + "}\n", encoding="utf-8")
        self._words = [
            *("wrk", "--threads", "1", "--connections", str(max(1, round(rate)))),
            *("--duration", f"{max(1, round(seconds))}s", "--timeout", "30s"),
            *("--script", str(_SCRIPT), address, "--", str(plan)),
        ]

    def __enter__(self) -> Self:
        self._wrk = subprocess.Popen(self._words, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._wrk.kill()
            self._wrk.wait()

    def result(self) -> Flooded:
        """Waits until it is over. Raises ValueError if wrk did not end well."""
        said, _ = self._wrk.communicate()
        lines = [line for line in said.splitlines() if line.startswith("{")]
        if self._wrk.returncode or not lines:
            raise ValueError(f"wrk ended with {self._wrk.returncode}: {said[-400:]}")
        got: dict[str, Any] = json.loads(lines[-1])
        statuses = {str(status): int(n) for status, n in sorted(got["statuses"].items())}
        return Flooded(got["requests"], round(got["requests"] / got["seconds"], 1), statuses, got["broken"])


def _lua(call: Call) -> str:
    """The call as a Lua table. JSON's strings are Lua's, for what can stand in a header."""
    headers = ",".join(f"[{json.dumps(name)}]={json.dumps(value)}" for name, value in call.headers.items())
    return f"{{method={json.dumps(call.method)},path={json.dumps(call.path)},headers={{{headers}}}}}"
