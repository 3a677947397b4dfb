"""The two toy services on benches of their own, joined by one broker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.bench import Bench
from tests.support.toys import MAKER, TAKER


@pytest.fixture
def maker(bench: Callable[..., Bench]) -> Bench:
    return bench(MAKER)


@pytest.fixture
def taker(bench: Callable[..., Bench], maker: Bench) -> Bench:
    made = bench(TAKER)
    made.broker = maker.broker
    object.__setattr__(made.runtime, "broker", maker.broker)
    return made
