"""What a process answers about itself, on real PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.kit.http import build_app
from services.kit.migrations import head_revision
from services.kit.runtime import build_runtime
from services.kit.service import Runtime
from tests.support.bench import Bench
from tests.support.toys import MAKER


@pytest.fixture
def runtime(bench: Callable[..., Bench]) -> Runtime:
    return bench(MAKER).runtime


def ask(runtime: Runtime, path: str) -> tuple[int, str]:
    answer = build_app(runtime).test_client().get(path)
    return answer.status_code, answer.get_json()["status"]


def test_a_process_with_its_database_is_ready(runtime: Runtime) -> None:
    assert ask(runtime, "/readyz") == (200, "ready")


def test_a_process_told_to_leave_lives_and_is_not_ready(runtime: Runtime, tmp_path: Path) -> None:
    leaving = tmp_path / "leaving"
    settings = dataclasses.replace(runtime.settings, leaving_file=leaving)
    told = build_runtime(runtime.service, settings)
    assert ask(told, "/readyz") == (200, "ready")
    leaving.touch()
    assert ask(told, "/readyz") == (503, "leaving")
    assert ask(told, "/healthz") == (200, "ok")
    told.database.close()


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        ("older", (503, "migrations-missing")),
        ("0000_before", (503, "migrations-missing")),
        ("0001_another", (503, "migrations-missing")),
        ("0099_of_the_next_release", (200, "ready")),
    ],
)
def test_a_process_is_ready_where_no_migration_of_its_own_is_missing(
    runtime: Runtime, version: str, answer: tuple[int, str]
) -> None:
    def set_version(version: str) -> None:
        with runtime.database.transaction() as tx:
            tx.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})

    head = head_revision(runtime.service)
    assert head is not None
    set_version(version)
    try:
        assert ask(runtime, "/readyz") == answer
    finally:
        set_version(head)


def test_a_process_without_its_database_lives_and_is_not_ready(runtime: Runtime) -> None:
    url = "postgresql+psycopg://nobody:none@127.0.0.1:1/nothing"
    cut_off = build_runtime(runtime.service, dataclasses.replace(runtime.settings, database_url=url))
    assert ask(cut_off, "/readyz") == (503, "database-away")
    assert ask(cut_off, "/healthz") == (200, "ok")
    cut_off.database.close()
