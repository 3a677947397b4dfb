"""Every service's migrations: numbered without gaps, one head, and they make exactly the tables the code declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.kit import messaging
from services.kit.migrations import alembic_config, current_revision, head_revision, migrate
from services.kit.postgres import EmbeddedPostgres
from services.kit.service import Service
from tests.architecture import tree

FILE = re.compile(r"\d{4}_[a-z0-9]+(?:_[a-z0-9]+)*")


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """The URL of an empty database of a service; dropped at the end."""
    made: list[str] = []

    def of(name: str) -> str:
        made.append(f"empty_{name}")
        return postgres.create([name], prefix="empty")[name]

    yield of
    for database in made:
        postgres.drop(database)


def _scripts(service: Service) -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config(service))


@pytest.mark.parametrize("name", tree.ALL)
def test_versions_are_numbered_without_gaps(name: str) -> None:
    files = sorted(path.stem for path in (tree.service(name).migrations / "versions").glob("*.py"))
    assert files
    assert all(FILE.fullmatch(stem) for stem in files)
    assert [int(stem[:4]) for stem in files] == list(range(1, len(files) + 1))


@pytest.mark.parametrize("name", tree.ALL)
def test_versions_are_one_line_named_as_their_files(name: str) -> None:
    scripts = _scripts(tree.service(name))
    assert len(scripts.get_heads()) == 1, "two people added a version: renumber one"
    revisions = list(scripts.walk_revisions())
    assert [script.revision for script in revisions] == sorted(
        (path.stem for path in (tree.service(name).migrations / "versions").glob("*.py")), reverse=True
    )
    for script in revisions:
        assert script.doc, "a version says what it changes"


@pytest.mark.parametrize("name", tree.ALL)
def test_migrations_have_no_package_marker(name: str) -> None:
    """Without one they stay outside the import graph, and nothing can import a migration."""
    assert not list(tree.service(name).migrations.rglob("__init__.py"))


@pytest.mark.parametrize("name", tree.ALL)
def test_an_empty_database_becomes_what_the_tables_say(name: str, empty: Callable[[str], str]) -> None:
    service, url = tree.service(name), empty(name)
    assert migrate(service, url) == head_revision(service)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        drift = compare_metadata(context, [service.metadata, messaging.METADATA])
        assert not drift, f'python -m services.kit.migrations {name} "what changes"'
    assert migrate(service, url) == head_revision(service), "again changes nothing"


@pytest.mark.parametrize("name", tree.ALL)
def test_every_version_can_be_taken_back(name: str, empty: Callable[[str], str]) -> None:
    service, url = tree.service(name), empty(name)
    migrate(service, url)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        config = alembic_config(service)
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
        assert current_revision(connection) is None
        left = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
        assert not left
    assert migrate(service, url) == head_revision(service), "and forward again"


@pytest.mark.parametrize("name", tree.ALL)
def test_a_service_has_the_outbox_and_inbox(name: str, empty: Callable[[str], str]) -> None:
    service, url = tree.service(name), empty(name)
    migrate(service, url)
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
    wants = {"outbox", "inbox"} if service.publishes or service.consumes else set()
    assert wants <= tables


def test_a_role_cannot_enter_another_services_database(
    postgres: EmbeddedPostgres, empty: Callable[[str], str]
) -> None:
    empty("dedup")
    empty("intake")
    stranger = sa.create_engine(postgres.url("empty_intake", "dedup"), poolclass=sa.NullPool)
    with pytest.raises(sa.exc.OperationalError, match="permission denied"), stranger.connect():
        raise AssertionError("dedup read intake's database")
