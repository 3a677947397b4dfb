"""What the operator's commands (`tabian broker`, `tabian dead-letters`) find in the environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import sqlalchemy as sa

from services.kit.settings import Settings, load, setting


@dataclass(frozen=True, kw_only=True)
class OperatorSettings(Settings):
    """An operator's command belongs to no service: it has no database of its own and holds no keys."""

    database_url: str = setting("TABIAN_DATABASE_URL", "not used", "")
    keys: Path = setting("TABIAN_KEYS", "not used", Path())
    databases: str = setting("TABIAN_DATABASES", "JSON object: service → URL of its database", "")


def broker_url() -> str:
    """TABIAN_BROKER_URL, or "" where the system has no broker of its own."""
    return load(OperatorSettings).broker_url


@contextmanager
def databases() -> Iterator[dict[str, sa.Engine]]:
    """Service → its database, as TABIAN_DATABASES_FILE names them."""
    text = load(OperatorSettings).databases
    if not text:
        raise click.ClickException(
            "ไม่มี TABIAN_DATABASES_FILE / TABIAN_DATABASES_FILE is missing: a JSON file, service → database URL"
        )
    with ExitStack() as stack:
        engines = {}
        for name, url in json.loads(text).items():
            engines[name] = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
            stack.callback(engines[name].dispose)
        yield engines
