"""A database of a yardstick's own on a server that is there already. Nothing in it outlives the measurement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


@contextmanager
def own_database(server: str, name: str) -> Iterator[str]:
    """The URL of an empty database, made now and dropped afterwards. `server`: URL of a user who may make databases."""
    identifier = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        try:
            yield beside(server, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def beside(url: str, name: str) -> str:
    """The URL of another database on the same server, for the same user. Takes SQLAlchemy's spelling too."""
    return urlsplit(url)._replace(scheme="postgresql", path=f"/{name}").geturl()
