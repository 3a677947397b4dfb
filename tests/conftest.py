"""What all tests share: one PostgreSQL per test process, migrated template databases, keys, and the bench."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from services.kit.keys import make_keys
from services.kit.migrations import migrate
from services.kit.postgres import EmbeddedPostgres
from services.kit.service import Service
from tests.support.bench import Bench

_number = itertools.count(1)

# a busy machine is no failing property; on continuous integration the same examples are tried every time
settings.register_profile("tabian", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tabian")


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    # Not below pytest's own temporary root: another pytest that starts makes that one unreadable for the user whom
    # PostgreSQL runs as when the tests run as root, and the server dies of it.
    with tempfile.TemporaryDirectory(prefix="tabian-pg-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        yield server
        server.close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> Callable[[Service], str]:
    """The name of a migrated, empty database of a service, made once."""
    made: dict[tuple[str, Path], str] = {}

    def of(service: Service) -> str:
        known = (service.name, service.migrations)
        if known not in made:
            prefix = f"template{len(made)}"
            migrate(service, postgres.create([service.name], prefix=prefix)[service.name])
            made[known] = f"{prefix}_{service.name}"
        return made[known]

    return of


@pytest.fixture
def database_url(
    postgres: EmbeddedPostgres, template: Callable[[Service], str]
) -> Iterator[Callable[[Service], str]]:
    """A fresh migrated database of a service; dropped at the end."""
    prefixes: list[tuple[str, str]] = []

    def of(service: Service) -> str:
        prefix = f"t{next(_number)}"
        prefixes.append((prefix, service.name))
        return postgres.create([service.name], prefix=prefix, template=template(service))[service.name]

    yield of
    for prefix, name in prefixes:
        postgres.drop(f"{prefix}_{name}")


@pytest.fixture
def bench(
    database_url: Callable[[Service], str], keys: Path, tmp_path: Path
) -> Iterator[Callable[..., Bench]]:
    """`bench(SERVICE, parts=…)` → the service on the bench, its clock at 20 Oct 2564 09:00."""
    made: list[Bench] = []

    def of(service: Service, **more: object) -> Bench:
        folder = tmp_path / f"{service.name}-{len(made)}"
        built = Bench(service, database_url(service), keys, folder, **more)  # type: ignore[arg-type]
        built.set_time("2021-10-20T09:00:00+07:00")
        made.append(built)
        return built

    yield of
    for built in made:
        built.close()
