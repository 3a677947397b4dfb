"""What watches agrees with what is watched: every metric that a rule, a dashboard or the runbook names exists, every process that
runs is expected and scraped, and every alert has an entry in the runbook."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from tests.architecture import tree
from tests.support.watching import (
    FOREIGN,
    PROMETHEUS,
    Rule,
    alerts,
    all_queries,
    metrics_of,
    records,
    rules,
)

RUNBOOK = Path("docs/runbook.md")
NOT_SCRAPED = {"postgres", "prometheus", "grafana", "tools", "archive", "restore"}
"""PostgreSQL is asked by the services, Prometheus asks, Grafana, tools and backups come and go."""
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


def _own() -> set[str]:
    """The series of the catalogue, and those that every Python process has."""
    for name in tree.ALL:
        tree.service(name)  # a service's own metrics are declared when it is imported
    return {
        f"{family.name}{suffix}"
        for family in REGISTRY.collect()
        for suffix in SUFFIXES.get(family.type, ("",))
    }


def _known() -> set[str]:
    return _own() | {rule.name for rule in records()} | {name for names in FOREIGN.values() for name in names}


def _services() -> dict[str, dict[str, object]]:
    told = yaml.safe_load(tree.text_of(Path("docker-compose.yml")))
    services: dict[str, dict[str, object]] = told["services"]
    return {name: about for name, about in services.items() if not name.endswith("-migrate")}


def _asked_in_the_runbook() -> list[tuple[str, str]]:
    asked = re.findall(r"ask '([^']+)'", tree.text_of(RUNBOOK))
    return [(f"runbook: {query}", query) for query in asked]


def test_every_metric_that_is_named_exists() -> None:
    known = _known()
    named = [*all_queries(), *_asked_in_the_runbook()]
    assert len(named) > 100
    strange = {where: sorted(metrics_of(query) - known) for where, query in named}
    assert {where: names for where, names in strange.items() if names} == {}


def test_no_foreign_metric_is_listed_that_nobody_names() -> None:
    named = {name for _, query in (*all_queries(), *_asked_in_the_runbook()) for name in metrics_of(query)}
    assert {name for names in FOREIGN.values() for name in names} <= named


def test_everything_that_is_recorded_is_read() -> None:
    read = {name for _, query in all_queries() for name in metrics_of(query)}
    assert {rule.name for rule in records()} <= read


def test_every_process_is_expected_and_scraped() -> None:
    told = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    found = {
        name for job in told for discovery in job.get("dns_sd_configs", []) for name in discovery["names"]
    }
    fixed = {target["labels"]["process"] for job in told for target in job.get("static_configs", [])}
    running = set(_services()) - NOT_SCRAPED
    assert found | fixed - {"prometheus"} == running
    expected = Counter(rule.labels["process"] for rule in records() if rule.name == "tabian:process:expected")
    assert expected == Counter(running)


def test_no_two_rules_have_one_name_but_those_of_who_is_expected() -> None:
    names = Counter(rule.name for rule in rules())
    assert {name for name, count in names.items() if count > 1} == {"tabian:process:expected"}


def _entries() -> dict[str, str]:
    """Alert → its entry in the runbook."""
    parts = re.split(r"^### (\w+)\n", tree.text_of(RUNBOOK), flags=re.MULTILINE)[1:]
    return {
        name: re.split(r"^## ", text, flags=re.MULTILINE)[0]
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_every_alert_has_an_entry_in_the_runbook_and_no_entry_is_of_another() -> None:
    assert sorted(_entries()) == sorted(alert.name for alert in alerts())


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_an_alert_says_what_is_the_matter_and_where_the_runbook_tells_of_it(alert: Rule) -> None:
    assert alert.annotations.keys() == {"summary", "summary_th", "runbook_url"}
    assert re.search(r"[\u0e00-\u0e7f]", alert.annotations["summary_th"])
    assert alert.annotations["runbook_url"] == f"{RUNBOOK}#{alert.name.lower()}"
    entry = _entries()[alert.name]
    assert entry.strip().startswith(f"*{alert.labels['severity'].capitalize()}.*")
    for part in ("Look", "Ask", "Healthy", "Do"):
        assert f"- **{part}**: " in entry, part


def test_the_alertmanager_that_is_stored_holds_no_secret_and_tells_nobody() -> None:
    told = yaml.safe_load(tree.text_of(Path("deploy/alertmanager/alertmanager.yml")))
    assert [receiver.keys() for receiver in told["receivers"]] == [{"name"}] * 3
