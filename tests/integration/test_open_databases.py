"""A watcher's connections: one for each database that stays, and another when it broke."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.cli.yard import OpenDatabases
from services.dedup.app import SERVICE
from services.kit.service import Service

OWN = "SELECT pg_backend_pid()"


def test_a_connection_stays_and_a_broken_one_is_replaced(database_url: Callable[[Service], str]) -> None:
    url = database_url(SERVICE).replace("+psycopg", "")
    with OpenDatabases({"dedup": url, "watcher": url}) as databases:
        first = databases.ask("dedup", OWN)[0][0]
        assert databases.ask("dedup", OWN)[0][0] == first
        databases.ask("watcher", f"SELECT pg_terminate_backend({first})")
        with pytest.raises(ConnectionError):
            databases.ask("dedup", OWN)
        assert databases.ask("dedup", OWN)[0][0] != first
