"""Databases for tests: made from a migrated template once, emptied and handed out again, because making one costs more
than most tests do.

They do not wait for the disk at each commit, which changes neither locks nor what a transaction sees: no test that
uses them kills the server. Emptied means that a test cannot tell it from a new one: no rows, sequences at their
start, nobody connected. One whose tables a test changed is dropped instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from services.kit.migrations import migrate
from services.kit.postgres import EmbeddedPostgres
from services.kit.service import Service

_EMPTY = """
    SET session_replication_role = replica;
    DO $$
    DECLARE entry record; filled boolean;
    BEGIN
        FOR entry IN SELECT oid::regclass AS name FROM pg_class
                      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
        LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', entry.name) INTO filled;
            IF filled THEN EXECUTE format('DELETE FROM %s', entry.name); END IF;
        END LOOP;
        PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
           FROM pg_sequences WHERE last_value IS NOT NULL;
    END $$
"""
_SHAPE = """
    SELECT md5(string_agg(concat_ws(' ', relname, relkind, attname, atttypid, attnotnull, attisdropped), ','
                          ORDER BY relname, attnum))
      FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace
"""
_ALONE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Databases:
    """Those of one server, for one test at a time."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._pools: dict[tuple[str, Path], _Pool] = {}

    def take(self, service: Service) -> tuple[str, Callable[[], None]]:
        """The URL of a migrated, empty database of the service, and what gives it back."""
        pool = self._pool(service)
        name = pool.free.pop() if pool.free else self._make(service, pool.template)
        return self._server.url(name, service.name), lambda: self._give_back(pool, name)

    def _pool(self, service: Service) -> _Pool:
        kind = (service.name, service.migrations)
        if kind not in self._pools:
            name = self._make(service, "template0")
            migrate(service, self._server.url(name, service.name))
            with self._server.administer(name) as connection:
                self._pools[kind] = _Pool(name, _shape(connection))
        return self._pools[kind]

    def _make(self, service: Service, template: str) -> str:
        prefix = f"t{next(self._numbers)}"
        self._server.create([service.name], prefix=prefix, template=template)
        name = f"{prefix}_{service.name}"
        with self._server.administer() as connection:
            connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
        return name

    def _give_back(self, pool: _Pool, name: str) -> None:
        with self._server.administer(name) as connection:
            connection.execute(_ALONE)
            same = _shape(connection) == pool.shape
            if same:
                connection.execute(_EMPTY)
        if same:
            pool.free.append(name)
        else:
            self._server.drop(name)


@dataclass(frozen=True)
class _Pool:
    template: str
    shape: str
    free: list[str] = field(default_factory=list)


def _shape(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute(_SHAPE).fetchone()
    return str(row[0]) if row else ""
