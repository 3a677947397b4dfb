"""A flood that only adds pressure: made by wrk, which is written in C, so that the recorded clients' sender is not slowed by
it. Its requests change nothing (acts on a version that never was, pages, reports, sign-ins), and nobody records them; how
many were answered how is all that is kept.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.rehearsal.load import calls
from deploy.rehearsal.load.caller import Call

NO_VERSION = "0" * 64
_SCRIPT = Path(__file__).with_name("flood.lua")
_PEOPLE = 40


def flood_calls(schools: Sequence[str], passes: calls.Pass) -> list[Call]:
    """What the flood asks in turn, of some of the schools: acts that must be refused, and as often something to look at: the
    page where one signs in, a school's state, a report."""
    asked = []
    for number, code in enumerate(schools[:_PEOPLE]):
        looks = (Call("", "GET", "/sign-in"), calls.page("", "clerk", code, passes), calls.report(passes))
        asked += [calls.confirmation(code, NO_VERSION, passes), looks[number % len(looks)]]
    return asked


def sign_in_calls(passwords: Mapping[str, str]) -> list[Call]:
    """Everybody (username → password) signs in and steps up. One in forty mistypes: more would have the address they come
    from refused for a while, and with it the whole flood."""
    asked = []
    for number, (username, password) in enumerate(passwords.items()):
        said = {"username": username, "password": password}
        asked += [_sign_in(said), _sign_in({**said, "step_up": True})]
        if number % 20 == 0:
            asked.append(_sign_in({**said, "password": f"not {password}"}))
    return asked


def _sign_in(said: Mapping[str, object]) -> Call:
    headers = {"Content-Type": "application/json"}
    return Call("", "POST", "/api/v1/tokens", headers, json.dumps(said).encode())


def static(asked: Iterable[Call]) -> list[Call]:
    """The same requests, at addresses that the edge itself refuses at once: what a flood costs who makes it and who takes its
    lines, and nothing behind them."""
    return [replace(call, path=f"/internal{call.path}") for call in asked]


@dataclass(frozen=True, slots=True)
class Flooded:
    """What came of it: requests answered, a second; by status; and how many broke off."""

    requests: int
    per_s: float
    statuses: dict[str, int]
    broken: int


class Flood:
    """wrk against `address` while the block lasts, at most `seconds`. `rate` is what comes in a second as long as answers
    come quickly; a slow system is given less, as each connection waits for its answer, but as much although `held` of
    them wait. Raises OSError where there is no wrk."""

    def __init__(
        self,
        address: str,
        asked: Sequence[Call],
        rate: float,
        seconds: float,
        folder: Path,
        *,
        held: int = 0,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        plan = folder / "flood.json.lua"
        plan.write_text("return {" + ",".join(_lua(call) for call in asked) + "}\n", encoding="utf-8")
        self._words = [
            *("wrk", "--threads", "1", "--connections", str(max(1, round(rate) + held))),
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

    def stop(self) -> None:
        """It is enough; what came of it is not told."""
        self._wrk.kill()
        self._wrk.communicate()

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
    body = f",body={json.dumps(call.body.decode())}" if call.body else ""
    return f"{{method={json.dumps(call.method)},path={json.dumps(call.path)},headers={{{headers}}}{body}}}"
