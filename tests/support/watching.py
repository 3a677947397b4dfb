"""The alerts and dashboards as the tests read them: rules, panels, the metrics that their queries name, and the programs
that check them.

Not here: the catalogue of our own metrics, and what the alerts mean (docs/runbook.md).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as promql
import yaml

from gateway.portal.day import FIGURES
from tests.architecture.tree import ROOT

PROMETHEUS = ROOT / "deploy/prometheus"
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yml"
DASHBOARDS = ROOT / "deploy/grafana/dashboards"
PLACES = ("/usr/bin", "/opt/homebrew/bin")
VARIABLES = {"$service": ".+"}
"""What a reader of a dashboard chooses, and what a test chooses instead."""
FOREIGN = {
    "haproxy": {
        "haproxy_backend_active_servers",
        "haproxy_backend_current_queue",
        "haproxy_backend_http_responses_total",
        "haproxy_frontend_http_responses_total",
    },
    "rabbitmq": {
        "rabbitmq_alarms_free_disk_space_watermark",
        "rabbitmq_alarms_memory_used_watermark",
        "rabbitmq_connections",
        "rabbitmq_detailed_queue_consumers",
        "rabbitmq_detailed_queue_messages",
        "rabbitmq_disk_space_available_bytes",
        "rabbitmq_disk_space_available_limit_bytes",
        "rabbitmq_global_messages_confirmed_total",
        "rabbitmq_global_messages_delivered_total",
        "rabbitmq_global_messages_received_total",
        "rabbitmq_global_messages_redelivered_total",
        "rabbitmq_process_resident_memory_bytes",
        "rabbitmq_resident_memory_limit_bytes",
    },
    "alertmanager": {"alertmanager_notifications_failed_total"},
    "prometheus": {
        "prometheus_notifications_dropped_total",
        "prometheus_rule_evaluation_failures_total",
        "up",
    },
}
"""The metrics of others that rules and dashboards name, by whose they are."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: an alert, or the record of a query under a new name."""

    name: str
    alert: bool
    query: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class Panel:
    """One query of a dashboard."""

    dashboard: str
    title: str
    query: str


def rules() -> list[Rule]:
    """All rules in the order of their files."""
    return [
        Rule(
            rule.get("alert") or rule["record"],
            "alert" in rule,
            str(rule["expr"]),
            rule.get("labels", {}),
            rule.get("annotations", {}),
        )
        for file in sorted(PROMETHEUS.glob("rules/*.yml"))
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.alert]


def records() -> list[Rule]:
    return [rule for rule in rules() if not rule.alert]


def panels() -> list[Panel]:
    """Every query of every stored dashboard, with a choice for each variable, and of the operations page's figures. Its pictures are
    the dashboards'."""
    figures = [Panel("operations", f"{figure.th} · {figure.en}", figure.query) for figure in FIGURES]
    return figures + [
        Panel(file.stem, panel["title"], _chosen(target["expr"]))
        for file in sorted(DASHBOARDS.glob("*.json"))
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]
        for target in panel.get("targets", [])
    ]


def _chosen(query: str) -> str:
    for name, choice in VARIABLES.items():
        query = query.replace(name, choice)
    return query


def selectors(query: str) -> list[Any]:
    """Every vector selector in a query: its `name` and its `matchers`. Raises ValueError for what is no PromQL."""
    found: list[Any] = []

    def visit(node: Any) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(promql.parse(query), pre_visit=visit)
    return found


def metrics_of(query: str) -> set[str]:
    """The metrics that a query names."""
    return {selector.name for selector in selectors(query)}


def all_queries() -> Iterator[tuple[str, str]]:
    """(where it stands, query) of all rules and panels."""
    yield from ((rule.name, rule.query) for rule in rules())
    yield from ((f"{panel.dashboard}: {panel.title}", panel.query) for panel in panels())


def program(*names: str) -> str:
    """The path of the first of these programs that is there. Raises LookupError."""
    path = os.pathsep.join([os.environ["PATH"], *PLACES])
    found = next((place for name in names if (place := shutil.which(name, path=path))), None)
    if found is None:
        raise LookupError(f"{names[0]} is missing: run deploy/setup/prometheus")
    return found
