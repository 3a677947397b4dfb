"""The two clocks: what the file says, for every process, and nothing else than what it says."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.kit.clock import BANGKOK, Clock, ClockUnreadable, set_clock

DAY = datetime(2021, 11, 10, 16, 29, 58, tzinfo=BANGKOK)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clock.json"


def test_without_a_file_both_clocks_agree(file: Path) -> None:
    for clock in (Clock(), Clock(file)):
        assert abs(clock.now() - clock.real()) < timedelta(seconds=5)
        assert clock.now().utcoffset() == timedelta(hours=7)


def test_rate_0_stands_still(file: Path) -> None:
    set_clock(file, DAY, rate=0)
    clock = Clock(file)
    time.sleep(0.02)
    assert clock.now() == clock.now() == DAY


def test_rate_1_runs_on_from_where_it_was_set(file: Path) -> None:
    file.write_text(json.dumps({"round": DAY.isoformat(), "set_at": time.time() - 90, "rate": 1}))
    assert timedelta(seconds=90) <= Clock(file).now() - DAY < timedelta(seconds=100)


def test_the_hour_is_bangkoks_whatever_zone_it_was_set_in(file: Path) -> None:
    set_clock(file, DAY.astimezone(UTC), rate=0)
    now = Clock(file).now()
    assert (now.hour, now.utcoffset()) == (16, timedelta(hours=7))


def test_a_time_without_zone_is_bangkoks(file: Path) -> None:
    file.write_text(json.dumps({"round": "2021-11-10T16:29:58", "set_at": time.time(), "rate": 0}))
    assert Clock(file).now() == DAY


def test_setting_it_again_is_seen_by_clocks_that_already_read_it(file: Path) -> None:
    set_clock(file, DAY, rate=0)
    clocks = [Clock(file) for _ in range(3)]
    assert {clock.now() for clock in clocks} == {DAY}
    for minutes in range(1, 20):
        later = DAY + timedelta(minutes=minutes)
        set_clock(file, later, rate=0)
        assert {clock.now() for clock in clocks} == {later}


def test_taking_the_file_away_returns_to_real_time(file: Path) -> None:
    set_clock(file, DAY, rate=0)
    clock = Clock(file)
    assert clock.now() == DAY
    file.unlink()
    assert abs(clock.now() - clock.real()) < timedelta(seconds=5)


def test_real_time_does_not_read_the_file(file: Path) -> None:
    file.write_text("garbage")
    assert abs(Clock(file).real() - datetime.now(UTC)) < timedelta(seconds=5)


AT = b'{"round": "2021-11-10T16:29:58+07:00", '
GARBAGE = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "an empty object": b"{}",
    "a number": b"12",
    "no text": b"\xff\xfe\x00",
    "a Thai date": b'{"round": "10/11/2564", "set_at": 1, "rate": 0}',
    "a number as time": b'{"round": 1636536598, "set_at": 1, "rate": 0}',
    "half": AT[:-2] + b"}",
    "set at a word": AT + b'"set_at": "soon", "rate": 0}',
    "set at no number": AT + b'"set_at": NaN, "rate": 1}',
    "set at infinity": AT + b'"set_at": -Infinity, "rate": 1}',
    "set at a huge number": AT + b'"set_at": ' + b"9" * 400 + b', "rate": 1}',
    "rate null": AT + b'"set_at": 1, "rate": null}',
    "rate infinite": AT + b'"set_at": 1, "rate": 1e400}',
    "beyond the calendar": AT + b'"set_at": -1e300, "rate": 1}',
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_refused_with_what_to_do(file: Path, what: str) -> None:
    file.write_bytes(GARBAGE[what])
    with pytest.raises(ClockUnreadable, match="set_clock or remove it"):
        Clock(file).now()


def test_a_folder_in_its_place_is_refused(file: Path) -> None:
    file.mkdir()
    with pytest.raises(ClockUnreadable):
        Clock(file).now()


def test_a_repaired_file_is_read_again(file: Path) -> None:
    file.write_text("garbage")
    clock = Clock(file)
    with pytest.raises(ClockUnreadable):
        clock.now()
    set_clock(file, DAY, rate=0)
    assert clock.now() == DAY


def test_a_reader_never_sees_half_a_file(file: Path) -> None:
    set_clock(file, DAY, rate=0)
    stop, seen = threading.Event(), set()

    def read() -> None:
        clock = Clock(file)
        while not stop.is_set():
            seen.add(clock.now())

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    times = [DAY + timedelta(seconds=second) for second in range(300)]
    for at in times:
        set_clock(file, at, rate=0)
    stop.set()
    for reader in readers:
        reader.join()
    assert seen <= set(times)
    assert len(seen) > 1
    assert [path.name for path in file.parent.iterdir()] == [file.name], "nothing is left beside it"


def test_it_makes_its_folder(tmp_path: Path) -> None:
    set_clock(tmp_path / "a" / "b" / "clock.json", DAY, rate=0)
    assert Clock(tmp_path / "a" / "b" / "clock.json").now() == DAY
