"""Alembic for any service: its own numbered versions, run as a job of their own and never by a web process.

One migration runs at a time (advisory lock); it gives up rather than block others for long (lock_timeout).
`python -m services.kit.migrations <service> "what changes"` drafts the next version from the tables.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.kit import messaging

if TYPE_CHECKING:
    from services.kit.service import Service

_LOCK = 7_120_441_064


def alembic_config(service: Service) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(service.migrations / "versions"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("file_template", "%%(rev)s")
    config.attributes["metadata"] = [service.metadata, messaging.METADATA]
    return config


def migrate(service: Service, url: str) -> str | None:
    """Bring the database at `url` to this code's head; returns the revision it is at."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("SET lock_timeout = '10s'"))
        connection.execute(sa.text("SET statement_timeout = '15min'"))
        connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
        connection.commit()
        config = alembic_config(service)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        revision = current_revision(connection)
    engine.dispose()
    return revision


def head_revision(service: Service) -> str | None:
    return ScriptDirectory.from_config(alembic_config(service)).get_current_head()


def current_revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def carries(revision: str | None, head: str | None) -> bool:
    """Whether a database at `revision` has what code with this head needs: the same version, or a later one, which took
    nothing away that the version before it reads (CONTRIBUTING.md)."""
    return revision == head or _number(revision) > _number(head)


def _number(revision: str | None) -> int:
    """-1 for what is no version's name."""
    found = re.match(r"(\d{4})_", revision or "")
    return int(found[1]) if found else -1


def draft(service: Service, url: str, words: str) -> Path:
    """Write the next version file from the difference between the tables and the database at `url`."""
    taken = len(list((service.migrations / "versions").glob("[0-9]*.py")))
    config = alembic_config(service)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        script = command.revision(
            config,
            message=words,
            autogenerate=True,
            rev_id=f"{taken + 1:04d}_{words.replace(' ', '_')}",
            version_path=str(service.migrations / "versions"),
        )
    engine.dispose()
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)
