"""A stack's Prometheus and Alertmanager, asked over their own HTTP interfaces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Watched:
    """Both, by their addresses on this machine."""

    prometheus: httpx.Client
    alertmanager: httpx.Client

    def ask(self, query: str) -> list[float]:
        """What a query finds now, without what is no number (nought by nought)."""
        answer = self.prometheus.get("/api/v1/query", params={"query": query})
        told = answer.raise_for_status().json()["data"]
        rows = [told] if told["resultType"] == "scalar" else told["result"]
        pairs = [row["result"] if told["resultType"] == "scalar" else row["value"] for row in rows]
        return [value for _, text in pairs if not math.isnan(value := float(text))]

    def targets(self) -> list[dict[str, Any]]:
        """What is scraped: labels, health, and the last error."""
        told = self.prometheus.get("/api/v1/targets", params={"state": "active"}).raise_for_status()
        found: list[dict[str, Any]] = told.json()["data"]["activeTargets"]
        return found

    def firing(self) -> list[dict[str, str]]:
        """The labels of every alert that Prometheus has on now, the one that always is left out."""
        told = self.prometheus.get("/api/v1/alerts").raise_for_status().json()["data"]["alerts"]
        on = [dict(alert["labels"]) for alert in told if alert["state"] == "firing"]
        return [labels for labels in on if labels["alertname"] != "Watchdog"]

    def delivered(self, name: str) -> list[str]:
        """The states (active, suppressed) that Alertmanager has the alerts of this name in."""
        told = self.alertmanager.get("/api/v2/alerts", params={"filter": f'alertname="{name}"'})
        return [alert["status"]["state"] for alert in told.raise_for_status().json()]
