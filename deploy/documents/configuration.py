"""`docs/configuration.md`: every variable of the environment that anything here reads, with its default and who reads it.

Settings of processes come from their own declarations (`services.kit.settings`); what is read elsewhere is declared here.
A test holds both against the names that stand in the code.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, Final

from deploy.documents.text import page, table
from gateway.cli.operator import OperatorSettings
from gateway.cli.service import WHERE
from services.kit.settings import EVERY, Settings

ROOT: Final = Path(__file__).parents[2]
SUFFIX: Final = "_FILE"
"""`<NAME>_FILE` names a file that holds the value of a setting."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment as the page shows it."""

    name: str
    default: str
    about: str
    read_by: str


ELSEWHERE: Final = (
    Variable("TABIAN_PORT", "`8000`", "where a web process listens", "api, uploads"),
    Variable("TABIAN_EDGE_ADDRESS", "`127.0.0.1`", "where the edge listens", "docker-compose.yml"),
    Variable("TABIAN_EDGE_PORT", "`8443`", "the port there", "docker-compose.yml"),
    Variable(
        "TABIAN_SECRETS", "`.tabian/stack/secrets`", "folder with the secrets as files", "docker-compose.yml"
    ),
    Variable(
        "TABIAN_ARCHIVE",
        "`.tabian/stack-archive`",
        "folder of PostgreSQL's log and copies (backup.md)",
        "docker-compose.yml",
    ),
    Variable("TABIAN_PROMETHEUS_PORT", "`9090`", "Prometheus' port on 127.0.0.1", "docker-compose.yml"),
    Variable("TABIAN_ALERTMANAGER_PORT", "`9093`", "Alertmanager's", "docker-compose.yml"),
    Variable("TABIAN_GRAFANA_PORT", "`3000`", "Grafana's", "docker-compose.yml"),
    Variable(
        "TABIAN_ALERTMANAGER",
        "`deploy/alertmanager/alertmanager.yml`",
        "who is told of alerts",
        "docker-compose.yml",
    ),
    Variable(
        "TABIAN_CLOCK", "`.tabian/stack/clock`", "folder with the rehearsal's clock", "docker-compose.yml"
    ),
    Variable("TABIAN_PASSWORD", "asked for", "password of the one who imports", "tabian schools"),
    Variable(
        "TABIAN_SCHOOLS",
        "the public list beside the project, else none",
        "list of schools (TSV) that a synthetic nation is made of",
        "tabian nation, demo, bench, rehearse",
    ),
    Variable(
        "TABIAN_CRASH_AT",
        "never",
        "points at which a process kills itself, `name[:n-th time],…`; for tests alone",
        "every process",
    ),
    Variable("TABIAN_CRASH_LOG", "none", "file that remembers where it died", "every process"),
    Variable("TABIAN_TEST_EXAMPLES", "`200`", "requests for each address of `make fuzz`", "tests/stack"),
    Variable(
        "TABIAN_TEST_BROKER_URL",
        "a node of the tests' own",
        "RabbitMQ that the tests over brokers use instead",
        "tests/brokers",
    ),
)


def render() -> str:
    """The page."""
    common, own = _settings()
    return page(
        "Configuration",
        _INTRODUCTION,
        ["## Every process of a service"],
        _rows(common),
        ["## One service"],
        _rows(own),
        ["## Read elsewhere"],
        _rows(ELSEWHERE),
    )


_INTRODUCTION = (
    "Everything is set by the environment. A process that lacks a setting, or cannot read one, names all of them and stops.",
    f"In place of `NAME`, `NAME{SUFFIX}` may name a file that holds the value; what is secret is given so. Data that change"
    " with the year (calendars, rates, codes) are files below `deploy/`. What is mounted where in the compose stack:"
    " [deployment.md](deployment.md), which also names OpenTelemetry's own variables (`OTEL_…`).",
)


def declared() -> set[str]:
    """The name of every variable that may be read."""
    common, own = _settings()
    return {variable.name for variable in (*common, *own, *ELSEWHERE)}


def _settings() -> tuple[list[Variable], list[Variable]]:
    """(those of every process of a service, those of one service or of the operator's commands)."""
    shared = {item.name: item for item in fields(Settings)}
    common = [_variable(item, item.metadata["by"]) for item in shared.values()]
    own = [
        _variable(item, who if item.metadata["by"] == EVERY else f"{who}: {item.metadata['by']}")
        for who, cls in _classes()
        for item in fields(cls)
        if item.name not in shared
    ]
    return common, own


def _classes() -> Iterator[tuple[str, type[Settings]]]:
    for service, (_, place) in WHERE.items():
        module, _, name = place.partition(":")
        yield service, getattr(importlib.import_module(module), name)
    yield "tabian broker, tabian dead-letters", OperatorSettings


def _variable(item: Field[Any], read_by: str) -> Variable:
    return Variable(item.metadata["env"], _default(item.default), item.metadata["about"], read_by)


def _default(value: Any) -> str:
    if value is MISSING:
        return "**needed**"
    if isinstance(value, Path) and value.is_absolute():
        value = value.relative_to(ROOT)
    return f"`{value}`" if value not in (None, "", ()) else "none"


def _rows(variables: tuple[Variable, ...] | list[Variable]) -> list[str]:
    shown = ((f"`{v.name}`", v.default, v.about, v.read_by) for v in variables)
    return table(("variable", "default", "what it says", "read by"), shown)
