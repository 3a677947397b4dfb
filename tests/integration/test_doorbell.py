"""A process that wrote is heard by another of its service, and a bell that cannot be rung or heard harms nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from services.kit.database import Database
from services.kit.doorbell import CHANNEL, Doorbell, listen
from tests.support.bench import Bench
from tests.support.toys import package


class Ear:
    """Another process's Wakeup; each time it is called it can be waited for."""

    def __init__(self) -> None:
        self._heard = threading.Semaphore(0)

    def __call__(self) -> None:
        self._heard.release()

    def hears(self, seconds: float = 5.0) -> bool:
        return self._heard.acquire(timeout=seconds)


@contextmanager
def listening(database: Database) -> Iterator[Ear]:
    """Another process's listener, which has begun to listen."""
    ear, stop = Ear(), threading.Event()
    thread = threading.Thread(target=listen, args=(database.engine, ear, stop))
    thread.start()
    try:
        assert ear.hears(), "it looks once when it begins"
        yield ear
    finally:
        stop.set()
        thread.join()


def write(database: Database, name: str) -> None:
    with database.transaction() as tx:
        tx.publish(package(name), subject=name)


def test_who_wrote_is_heard(maker: Bench) -> None:
    with listening(maker.database) as ear:
        write(maker.database, "a")
        assert ear.hears()


def test_who_only_read_is_not(maker: Bench) -> None:
    with listening(maker.database) as ear:
        with maker.database.transaction() as tx:
            tx.execute(sa.select(sa.literal(1)))
        assert not ear.hears(0.5)


def test_nobody_rings_all_the_time(maker: Bench) -> None:
    with listening(maker.database) as ear:
        for number in range(20):
            write(maker.database, str(number))
        assert ear.hears()
        rung = 1
        while ear.hears(0.5):
            rung += 1
        assert rung < 20


def test_a_listener_that_was_cut_off_listens_again(maker: Bench) -> None:
    cut = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    with listening(maker.database) as ear:
        with maker.database.transaction() as tx:
            assert tx.execute(cut).scalars().all() == [True]
        assert ear.hears(), "it looks again when it is back"
        write(maker.database, "a")
        assert ear.hears()


def test_what_is_committed_stays_so_when_the_bell_breaks(
    maker: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.kit.doorbell.CHANNEL", f"{CHANNEL} no name of a channel")
    maker.database.bell = Doorbell()
    write(maker.database, "a")
    assert len(maker.published(type(package("a")))) == 1
