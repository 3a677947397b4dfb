"""Declaring metrics, and the ids by which both sides count the same events."""

from __future__ import annotations

import time
import uuid
from datetime import datetime

import pytest
from prometheus_client import REGISTRY

from services.contracts.calendar import BANGKOK
from services.kit.catalogue import CATALOGUE, counter, gauge, known
from services.kit.conservation import BLOCK_SECONDS, window
from services.kit.event_ids import first_at, new_id, second_of


@pytest.mark.parametrize("label", ["school", "subject", "path", "Service", ""])
def test_a_label_that_is_not_in_the_vocabulary_is_refused_and_leaves_nothing(label: str) -> None:
    with pytest.raises(ValueError, match="tabian_toy"):
        gauge("tabian_toy", "A toy", (label,), unit="toys", served="nobody")
    with pytest.raises(ValueError, match="tabian_toy"):
        counter("tabian_toy", "A toy", ("service", label), unit="toys", served="nobody")
    assert not [name for name in CATALOGUE if "toy" in name]
    assert REGISTRY.get_sample_value("tabian_toy") is None


def test_what_is_not_known_becomes_no_value_of_a_label() -> None:
    assert known("read", {"read"}) == "read"
    assert known("1066350177", {"read"}) == "unknown"
    assert known("1066350177", {"read"}, "other") == "other"


def test_an_id_begins_with_the_time_at_which_it_was_made() -> None:
    before = int(time.time())
    made = [uuid.UUID(new_id()) for _ in range(1000)]
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert len(set(made)) == len(made)
    assert all(first_at(before) <= one < first_at(int(time.time()) + 1) for one in made)
    milliseconds = [one.int >> 80 for one in made]
    assert milliseconds == sorted(milliseconds)


def test_the_bounds_of_a_second_are_those_of_its_ids() -> None:
    assert str(first_at(1_637_000_000)) == "017d24cd-b200-0000-0000-000000000000"
    assert second_of(first_at(1_637_000_000)) == 1_637_000_000
    assert second_of(uuid.UUID(int=first_at(1_637_000_000).int - 1)) == 1_636_999_999
    assert abs(second_of(uuid.UUID(new_id())) - time.time()) < 5


@pytest.mark.parametrize("time_of_day", ["00:00:00", "06:59:59", "07:00:00", "23:59:59"])
def test_the_window_begins_where_yesterday_began_in_bangkok(time_of_day: str) -> None:
    now = datetime.fromisoformat(f"2021-11-10T{time_of_day}+07:00").astimezone(BANGKOK).timestamp()
    blocks = window(now)
    begins = datetime.fromtimestamp(blocks[0] * BLOCK_SECONDS, BANGKOK)
    assert begins.isoformat() == "2021-11-09T00:00:00+07:00"
    assert blocks[-2] * BLOCK_SECONDS <= now < blocks[-1] * BLOCK_SECONDS
