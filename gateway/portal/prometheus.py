"""Prometheus as the operations page asks it: its HTTP interface, in the inner network.

What it says of schools is counts; no figure names a person. Not here: what is asked (`day`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from services.contracts.refusal import Refusal

PATIENCE_SECONDS = 5.0


class NoFigures(Refusal):
    """Prometheus cannot be asked, or did not answer; the system goes on without it."""


@dataclass(frozen=True, slots=True)
class Series:
    """What a question found for one set of labels: (Unix seconds, value), in order of time."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that is on. `since` is ISO; `about` are its labels but for name and severity."""

    name: str
    severity: str
    since: str
    th: str
    en: str
    runbook: str
    about: Mapping[str, str]


class Prometheus:
    """Every question raises NoFigures."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) if address else None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def now(self, query: str) -> float | None:
        """The one number that the question finds now; None where it finds nothing, or no number."""
        rows = self._ask("query", query=query)["result"]
        value = float(rows[0]["value"][1]) if rows else math.nan
        return value if math.isfinite(value) else None

    def over(self, query: str, since: float, until: float, step: float) -> list[Series]:
        """What the question finds at every `step` seconds from `since` to `until`, without what is no number."""
        rows = self._ask("query_range", query=query, start=since, end=until, step=step)["result"]
        return [Series(row["metric"], _points(row["values"])) for row in rows]

    def alerts(self) -> list[Alert]:
        """Those that are on, the gravest first; not the one that always is, to show that alerts arrive."""
        told = self._ask("alerts")["alerts"]
        on = [_alert(one) for one in told if one["state"] == "firing"]
        return sorted(
            (one for one in on if one.name != "Watchdog"), key=lambda one: (one.severity != "page", one.since)
        )

    def _ask(self, what: str, **params: Any) -> Any:
        if self._client is None:
            raise NoFigures(
                404,
                "no-prometheus",
                "ระบบนี้ไม่มี Prometheus (TABIAN_PROMETHEUS_URL) จึงไม่มีตัวเลขให้ดู",
                "This system has no Prometheus (TABIAN_PROMETHEUS_URL), so there are no figures",
            )
        try:
            answer = self._client.get(f"/api/v1/{what}", params=params).raise_for_status()
            return answer.json()["data"]
        except (httpx.HTTPError, ValueError, KeyError) as problem:
            raise NoFigures(
                503,
                "prometheus-away",
                "Prometheus ไม่ตอบ ระบบรับข้อมูลยังทำงานต่อ ดู docs/runbook.md#processdown",
                "Prometheus does not answer. The system itself goes on; see docs/runbook.md#processdown",
            ) from problem


def _points(rows: list[tuple[float, str]]) -> tuple[tuple[float, float], ...]:
    return tuple((at, value) for at, text in rows if math.isfinite(value := float(text)))


def _alert(told: Mapping[str, Any]) -> Alert:
    labels, said = dict(told["labels"]), told["annotations"]
    name, severity = labels.pop("alertname"), labels.pop("severity", "")
    th, en = said.get("summary_th", ""), said.get("summary", "")
    return Alert(name, severity, told["activeAt"], th, en, said.get("runbook_url", ""), labels)
