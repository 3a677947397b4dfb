"""Items made ahead of their use: the same, in order, not too many, with their failures, and nothing left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from services.kit.ahead import ahead
from services.kit.logs import correlation_id, under


def numbers(made: list[int], most: int) -> Iterator[int]:
    for number in range(most):
        made.append(number)
        yield number


@pytest.mark.parametrize("most", [0, 1, 2, 9])
def test_the_same_items_come_in_the_same_order(most: int) -> None:
    assert list(ahead(numbers([], most))) == list(range(most))


def test_no_more_are_made_than_may_wait() -> None:
    made: list[int] = []
    items = ahead(numbers(made, 100), most=3)
    assert [next(items), next(items)] == [0, 1]
    items.close()
    # the two that were used, the three that waited, and none after the close
    assert 2 <= len(made) <= 2 + 3


def test_the_next_is_made_while_this_one_is_used() -> None:
    second = threading.Event()

    def pair() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    items = ahead(pair())
    assert next(items) == 1
    assert second.wait(10)
    assert list(items) == [2]


def test_what_is_made_in_another_thread_belongs_to_the_same_work() -> None:
    def ids() -> Iterator[str]:
        for _ in range(3):
            yield correlation_id()

    with under("the-same-work"):
        assert list(ahead(ids())) == ["the-same-work"] * 3


def test_a_failure_comes_in_its_place() -> None:
    def two() -> Iterator[int]:
        yield 1
        raise KeyError("two")

    items = ahead(two())
    assert next(items) == 1
    with pytest.raises(KeyError):
        next(items)


def test_nothing_runs_on_after_the_close() -> None:
    items = ahead(numbers([], 9))
    next(items)
    items.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
