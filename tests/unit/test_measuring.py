"""Taking readings: what is shown, what goes, and what a reading that fails or takes long leads to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from services.kit.measuring import SHARE, Measuring
from services.kit.runtime import build_runtime
from services.kit.service import Reading, Runtime, Sample
from services.kit.settings import Settings
from tests.support.toys import MAKER


@pytest.fixture
def shown() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def toys(shown: CollectorRegistry) -> Gauge:
    return Gauge("toys", "Toys by colour", ["colour"], registry=shown)


@pytest.fixture
def runtime(tmp_path: Path, keys: Path) -> Iterator[Runtime]:
    """Its database is not there."""
    settings = Settings(database_url="postgresql+psycopg://nobody@127.0.0.1:9/none", keys=keys, data=tmp_path)
    made = build_runtime(MAKER, settings)
    yield made
    made.database.close()


def told(reading: str, name: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"service": "export", "reading": reading})


def test_what_a_reading_finds_is_shown_and_what_it_does_not_find_any_more_goes(
    runtime: Runtime, toys: Gauge, shown: CollectorRegistry
) -> None:
    found = {"red": 3, "blue": 1}

    def read(_: Runtime) -> Iterator[Sample]:
        yield from ((toys, (colour,), number) for colour, number in found.items())

    reading = Reading("toys", 5, read)
    measuring = Measuring(runtime, [reading])
    assert measuring.take(reading) == 5
    assert shown.get_sample_value("toys", {"colour": "red"}) == 3
    del found["red"]
    found["blue"] = 2
    measuring.take(reading)
    assert shown.get_sample_value("toys", {"colour": "red"}) is None
    assert shown.get_sample_value("toys", {"colour": "blue"}) == 2


def test_another_service_in_the_same_process_keeps_what_it_shows(
    runtime: Runtime, toys: Gauge, shown: CollectorRegistry
) -> None:
    mine = Reading("mine", 5, lambda _: iter([(toys, ("red",), 1.0)]))
    others = Reading("others", 5, lambda _: iter([(toys, ("blue",), 1.0)]))
    one, another = Measuring(runtime, [mine]), Measuring(runtime, [others])
    for measuring, reading in ((one, mine), (another, others), (one, mine)):
        measuring.take(reading)
    assert shown.get_sample_value("toys", {"colour": "blue"}) == 1


@pytest.mark.parametrize("problem", [ValueError("1066350177"), OSError("away")])
def test_a_reading_that_fails_leaves_what_it_showed_and_when_that_was(
    runtime: Runtime,
    toys: Gauge,
    shown: CollectorRegistry,
    caplog: pytest.LogCaptureFixture,
    problem: Exception,
) -> None:
    fails: list[Exception] = []

    def read(_: Runtime) -> Iterator[Sample]:
        yield toys, ("red",), 7
        if fails:
            yield toys, ("red",), 8
            raise fails[0]

    reading = Reading(f"failing-{type(problem).__name__}", 5, read)
    measuring = Measuring(runtime, [reading])
    measuring.take(reading)
    when = told(reading.name, "tabian_measured_timestamp_seconds")
    fails.append(problem)
    measuring.take(reading)
    assert shown.get_sample_value("toys", {"colour": "red"}) == 7
    assert told(reading.name, "tabian_measured_timestamp_seconds") == when
    assert "1066350177" not in caplog.text
    assert [record.reading for record in caplog.records] == [reading.name]  # type: ignore[attr-defined]


def test_a_reading_that_takes_long_rests_long(runtime: Runtime) -> None:
    def read(_: Runtime) -> Iterator[Sample]:
        time.sleep(0.2)
        return iter(())

    reading = Reading("slow", 0.1, read)
    assert Measuring(runtime, [reading]).take(reading) >= SHARE * 0.2
    assert (told("slow", "tabian_measuring_seconds") or 0) >= 0.2


def test_each_reading_is_taken_in_its_time_until_told_to_stop(runtime: Runtime) -> None:
    taken: dict[str, int] = {"often": 0, "once": 0}
    stop = threading.Event()

    def counting(name: str) -> Reading:
        def read(_: Runtime) -> Iterator[Sample]:
            taken[name] += 1
            if taken[name] == 4:
                stop.set()
            return iter(())

        return Reading(name, {"often": 0.05, "once": 60.0}[name], read)

    thread = threading.Thread(
        target=Measuring(runtime, [counting("often"), counting("once")]).run, args=(stop,)
    )
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert taken == {"often": 4, "once": 1}


def test_a_process_with_nothing_to_read_waits_until_it_is_told_to_stop(runtime: Runtime) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=Measuring(runtime, []).run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
