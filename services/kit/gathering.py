"""What several threads ask for at the same moment is done together, by whoever comes first.

One run at a time: who comes while it goes on waits, and all of them are the next. So a process that is not busy waits for
nothing, and a busy one does many in the time of one. The same idea as the worker's (decision 17), for people who wait.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Gathering(Generic[T]):
    """`run` is given what waits, in the order in which it came, `most` at a time; it tells by itself what became of each."""

    def __init__(self, run: Callable[[Sequence[T]], None], most: int) -> None:
        self._run, self._most = run, most
        self._waiting: deque[tuple[T, threading.Event]] = deque()
        self._turn = threading.Lock()

    def __len__(self) -> int:
        """How many wait for the next run."""
        return len(self._waiting)

    def take_part(self, asked: T) -> None:
        """Returns when a run that had `asked` in it has ended. An exception of a run is raised to whoever carried it out."""
        done = threading.Event()
        self._waiting.append((asked, done))
        with self._turn:
            while not done.is_set():
                self._run_next()

    def _run_next(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            self._run([asked for asked, _ in taken])
        finally:
            for _, done in taken:
                done.set()
