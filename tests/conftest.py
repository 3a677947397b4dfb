"""What all tests share: one PostgreSQL per test process, migrated template databases, keys, and the bench."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from services.kit import tracing
from services.kit.keys import make_keys
from services.kit.postgres import EmbeddedPostgres
from services.kit.service import Service
from tests.support.bench import Bench
from tests.support.collector import Collector, collecting
from tests.support.databases import Databases

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
def databases(postgres: EmbeddedPostgres) -> Databases:
    return Databases(postgres)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[Callable[[Service], str]]:
    """A migrated, empty database of a service."""
    with ExitStack() as taken:

        def of(service: Service) -> str:
            url, give_back = databases.take(service)
            taken.callback(give_back)
            return url

        yield of


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


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector to which this process sends its spans, at the latest at `tracing.stop()`."""
    with collecting() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        tracing.start()
        yield made
        tracing.stop()
