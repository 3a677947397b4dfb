"""The end of a round: headquarters closes it, and its package is built. Schools that did not certify do not hold it up: they
are sealed, and not counted.

Not here: what the package is held against (`yardsticks`, deploy/rehearsal/bench/copying_out).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from deploy.rehearsal.scenario import ROUND, wait_for
from gateway.cli.bench.usage import spent_since
from gateway.cli.yard import SETTLE_SECONDS, Yard
from gateway.stack.compose import cpu_seconds
from services.kit.clock import set_clock

EVENING = datetime.fromisoformat("2021-11-11T17:00:00+07:00")
"""When headquarters closes by the calendar; the last window to certify is shut by then."""


def measure_close(yard: Yard) -> dict[str, Any]:
    """From headquarters' announcing it until seal, counts and budget can be read. Raises RuntimeError where the round cannot
    be sealed."""
    set_clock(yard.stack.clock, EVENING)
    of_round = f"/api/v1/rounds/{ROUND}"
    before, began = cpu_seconds(yard.stack.running()), time.monotonic()
    with yard.stack.client() as client:
        _ask(yard, client, "POST", f"{of_round}/closure")
        closure = _until(yard, client, f"{of_round}/closure", "sealed")
        sealed = time.monotonic()
        seal = _ask(yard, client, "GET", f"{of_round}/snapshot")["seal"]["payload"]
        counts = _ask(yard, client, "GET", f"{of_round}/reports/counts")
        budget = _ask(yard, client, "GET", f"{of_round}/budget")
        read = time.monotonic()
    yard.say(f"  closed: {seal['schools']} schools, {seal['pupils']} pupils in {read - began:.2f} s")
    yard.settle()
    told = {name: seal[name] for name in ("schools", "pupils", "counted")}
    return {
        "close_s": round(read - began, 3),
        "close_seconds": steps_taken(closure["steps"]) | {"read": round(read - sealed, 3)},
        "close_cpu_seconds": spent_since(before, yard.stack),
        "closed": told | {"not_counted": counts["not_counted"], "baht": budget["baht"]},
    }


def measure_package(yard: Yard) -> dict[str, Any]:
    """From asking for the package of the sealed round until its files can be fetched. Raises RuntimeError where it cannot be
    built."""
    before, began = cpu_seconds(yard.stack.running()), time.monotonic()
    with yard.stack.client() as client:
        asked = _ask(yard, client, "POST", f"/api/v1/rounds/{ROUND}/exports")
        built = _until(yard, client, f"/api/v1/exports/{asked['export']}", "built")
        seconds = time.monotonic() - began
    yard.say(f"  package: {built['rows']} rows in {seconds:.2f} s")
    yard.settle()
    return {
        "package_s": round(seconds, 3),
        "package_cpu_seconds": spent_since(before, yard.stack),
        "package": {file["name"]: file for file in built["files"]},
    }


def steps_taken(steps: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """Step → seconds since the one before, from the times that closing notes as it goes."""
    times = [datetime.fromisoformat(step["at"]) for step in steps]
    return {
        step["step"]: round((at - before).total_seconds(), 3)
        for step, before, at in zip(steps[1:], times, times[1:], strict=False)
    }


def _until(yard: Yard, client: httpx.Client, path: str, state: str) -> dict[str, Any]:
    """Ask until it is in this state. Raises RuntimeError where it never will be, TimeoutError."""

    def reached() -> dict[str, Any] | None:
        shown = _ask(yard, client, "GET", path)
        if shown.get("refusal") or shown["state"] == "failed":
            raise RuntimeError(f"{path}: {shown.get('refusal') or shown.get('error')}")
        return shown if shown["state"] == state else None

    return wait_for(reached, f"{path} {state}", SETTLE_SECONDS)


def _ask(yard: Yard, client: httpx.Client, method: str, path: str) -> dict[str, Any]:
    """Headquarters' request. Tokens may end before a long closing does, so each has its own."""
    answer = client.request(method, path, headers=yard.passes("obec", "hq", "*"))
    shown: dict[str, Any] = answer.raise_for_status().json()
    return shown
