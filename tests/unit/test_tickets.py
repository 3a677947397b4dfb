"""Tickets: good for one person, one act, one place and one day; anything else is no ticket."""

from __future__ import annotations

import pytest

from services.kit.tickets import OLDEST_SECONDS, make, stamp_of

KEY = bytes(range(32))
STAMP = 1_636_536_599_250
NOW = STAMP / 1000 + 30
PATH = "/api/v1/rounds/2564-2/schools/1066350177/confirmation"
GENUINE = make(KEY, STAMP, "POST", PATH, "clerk-1066350177")


def test_a_genuine_ticket_tells_when() -> None:
    assert stamp_of(GENUINE, KEY, "POST", PATH, "clerk-1066350177", NOW) == STAMP


@pytest.mark.parametrize(
    ("key", "method", "path", "subject"),
    [
        (bytes(32), "POST", PATH, "clerk-1066350177"),
        (KEY, "DELETE", PATH, "clerk-1066350177"),
        (KEY, "POST", PATH.replace("confirmation", "certification"), "clerk-1066350177"),
        (KEY, "POST", PATH.replace("1066350177", "1066350179"), "clerk-1066350177"),
        (KEY, "POST", PATH, "clerk-1066350179"),
        (KEY, "POST", PATH, ""),
    ],
)
def test_it_serves_nothing_else(key: bytes, method: str, path: str, subject: str) -> None:
    assert stamp_of(GENUINE, key, method, path, subject, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "0",
        GENUINE[:-1],
        GENUINE + "0",
        GENUINE + "\n",
        GENUINE.upper(),
        GENUINE.replace("1636536599250", "1636536599249"),
        "١٦٣٦٥٣٦٥٩٩٢٥٠." + "0" * 64,
        "9" * 4000,
    ],
)
def test_what_is_no_ticket_is_none(text: str) -> None:
    assert stamp_of(text, KEY, "POST", PATH, "clerk-1066350177", NOW) is None


@pytest.mark.parametrize(
    ("now", "good"), [(STAMP / 1000 - 1, False), (STAMP / 1000 + OLDEST_SECONDS + 1, False)]
)
def test_it_comes_neither_from_the_future_nor_from_another_day(now: float, good: bool) -> None:
    assert (stamp_of(GENUINE, KEY, "POST", PATH, "clerk-1066350177", now) is not None) is good
