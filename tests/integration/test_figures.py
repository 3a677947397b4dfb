"""What every service tells of its outbox, its pool, its database and its disks; and a look changes and wakes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from services.kit import figures, metrics
from services.kit.figures import DatabaseFigures
from services.kit.messaging import outbox as rows
from services.kit.runtime import Background, build_runtime
from services.kit.service import Sample
from services.kit.settings import Settings
from tests.support.bench import Bench
from tests.support.toys import MAKER, publish


def told(samples: Iterable[Sample]) -> dict[tuple[object, ...], float]:
    return {(family, *labels): value for family, labels, value in samples}


def read_outbox(maker: Bench) -> dict[tuple[object, ...], float]:
    return told(figures.read_outbox(maker.runtime))


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, {"service": "export", **labels})
    assert found is not None, name
    return found


def age(maker: Bench, column: sa.Column[object], seconds: int) -> None:
    with maker.database.transaction() as tx:
        tx.execute(
            sa.update(rows).values(
                {column.name: sa.func.clock_timestamp() - sa.text(f"interval '{seconds} s'")}
            )
        )


def test_the_lag_of_a_consumer_begins_when_the_event_was_published(maker: Bench) -> None:
    publish(maker, "a")
    age(maker, rows.c.created_at, 600)
    waits = read_outbox(maker)
    assert waits[metrics.OUTBOX_OLDEST_SECONDS, "export"] == pytest.approx(600, abs=30)
    assert waits[metrics.OUTBOX_WAITING, "export"] == 1
    assert waits[metrics.APPLIED_LAG_SECONDS, "export", "snapshot"] == 0
    maker.relay()
    age(maker, rows.c.published_at, 90)
    sent = read_outbox(maker)
    assert sent[metrics.OUTBOX_OLDEST_SECONDS, "export"] == 0
    assert sent[metrics.APPLIED_LAG_SECONDS, "export", "snapshot"] == pytest.approx(90, abs=30)
    with maker.database.transaction() as tx:
        tx.execute(sa.update(rows).values(awaiting=[], parked=["snapshot"], next_send_at=None))
    parked = read_outbox(maker)
    assert parked[metrics.OUTBOX_PARKED, "export"] == 1
    assert parked[metrics.APPLIED_LAG_SECONDS, "export", "snapshot"] == 0, "it is not waited for any more"


def test_the_pool_is_told_as_it_is(maker: Bench) -> None:
    assert value("tabian_pool_size") == maker.runtime.settings.threads
    with maker.database.transaction(), maker.database.transaction():
        assert value("tabian_pool_connections", state="in_use") == 2
    assert value("tabian_pool_connections", state="in_use") == 0
    assert value("tabian_pool_connections", state="idle") >= 2


def test_the_databases_figures_are_told_and_its_counters_begin_at_nothing(maker: Bench) -> None:
    figure = DatabaseFigures()
    before = value("tabian_database_commits_total") if _counted() else 0
    first = told(figure.read(maker.runtime))
    assert value("tabian_database_commits_total") == before, "what was before is not ours"
    assert first[metrics.DATABASE_SIZE_BYTES, "export"] > 1_000_000
    assert first[metrics.DATABASE_CONNECTIONS_MAX, "export"] >= 20
    for name in "abc":
        publish(maker, name)
    with maker.database.transaction() as tx:
        tx.connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
    told(figure.read(maker.runtime))
    assert value("tabian_database_commits_total") > before
    assert value("tabian_database_deadlocks_total") >= 0


def test_connections_of_others_are_counted_with_ours(maker: Bench) -> None:
    elsewhere = sa.create_engine(sa.make_url(maker.runtime.settings.database_url).set(database="postgres"))
    with ExitStack() as opened:
        for _ in range(5):
            opened.enter_context(elsewhere.connect())
        found = told(DatabaseFigures().read(maker.runtime))
    elsewhere.dispose()
    ours = sum(number for (family, *_), number in found.items() if family is metrics.DATABASE_CONNECTIONS)
    assert found[metrics.DATABASE_CONNECTIONS_TAKEN, "export"] >= ours + 5


def _counted() -> bool:
    return REGISTRY.get_sample_value("tabian_database_commits_total", {"service": "export"}) is not None


def test_who_sits_in_a_transaction_is_seen(maker: Bench) -> None:
    with maker.database.transaction() as tx:
        tx.connection.execute(sa.text("SELECT pg_sleep(0.3)"))
        found = told(DatabaseFigures().read(maker.runtime))
    assert found[metrics.DATABASE_CONNECTIONS, "export", "idle-in-transaction"] == 1
    assert found[metrics.DATABASE_CONNECTIONS, "export", "active"] == 1, "the one that looks"
    assert found[metrics.DATABASE_OLDEST_SECONDS, "export"] >= 0.3


def test_a_look_cannot_write_wakes_nobody_and_is_over_soon(maker: Bench) -> None:
    heard = maker.database.wakeup.count
    with pytest.raises(sa.exc.InternalError, match="read-only"), maker.database.look() as connection:
        connection.execute(sa.delete(rows))
    with maker.database.look() as connection:
        assert connection.execute(sa.text("SHOW statement_timeout")).scalar_one() == "5s"
    assert maker.database.wakeup.count == heard
    publish(maker, "a")  # the connection is as it was
    assert maker.database.wakeup.count > heard


def test_disks_are_told_by_their_path(tmp_path: Path, maker: Bench) -> None:
    settings = Settings(
        database_url=maker.runtime.settings.database_url, keys=tmp_path, disks=(tmp_path, Path("/"))
    )
    runtime = build_runtime(MAKER, settings)
    found = told(figures.read_disks(runtime))
    runtime.database.close()
    for mount in (str(tmp_path), "/"):
        assert 0 < found[metrics.DISK_FREE_BYTES, mount] <= found[metrics.DISK_SIZE_BYTES, mount]


def test_a_relay_measures_and_a_worker_does_not(maker: Bench) -> None:
    def threads(**parts: bool) -> set[str]:
        background = Background(maker.runtime, **parts)
        background.start()
        running = {thread.name for thread in threading.enumerate()}
        background.stop()
        return {name for name in running if name.startswith("export-")}

    assert threads(worker=False) == {"export-relay", "export-measuring"}
    assert threads(relay=False, measuring=False) == {"export-worker"}
