"""Work of several kinds on a stream at the same time: the next pieces are made in a thread of their own while this one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], most: int = 2) -> Generator[T, None, None]:
    """The same items in the same order, up to `most` of them made before they are asked for. What making one raises is raised in its
    place. Closed early, it waits for the one in hand."""
    end, context = object(), copy_context()

    def made() -> T | object:
        # under the context of who asks, so that a log line of that thread belongs to the same work
        return context.run(lambda: next(items, end))

    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        waiting = deque(pool.submit(made) for _ in range(most))
        try:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(pool.submit(made))
                yield item  # type: ignore[misc]
        finally:
            for one in waiting:
                one.cancel()
