"""What several threads ask for at the same moment is done together, by whoever comes first.

One run at a time: who comes while it goes on waits, and all of them are the next. So a process that is not busy waits for
nothing, and a busy one does many in the time of one. The same idea as the worker's (decision 17), for people who wait.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Place(Generic[T]):
    """Somebody's place in the line. `called`: set once it was done, or when it `leads`, so that its thread carries the next run out."""

    asked: T
    leads: bool = False
    called: threading.Event = field(default_factory=threading.Event)


class Gathering(Generic[T]):
    """`run` is given what waits, in the order in which it came, `most` at a time; it tells by itself what became of each.

    Each waits to be called, and not for a lock that all want: a lock is given to whoever asks at the right moment, and whose act
    was done long ago may go on asking for seconds."""

    def __init__(self, run: Callable[[Sequence[T]], None], most: int) -> None:
        self._run, self._most = run, most
        self._waiting: deque[_Place[T]] = deque()
        self._led = False  # whether somebody carries a run out, or was called to
        self._changing = threading.Lock()

    def __len__(self) -> int:
        """How many wait for the next run."""
        return len(self._waiting)

    def take_part(self, asked: T) -> None:
        """Returns when a run that had `asked` in it has ended. An exception of a run is raised to whoever carried it out."""
        place = _Place(asked)
        with self._changing:
            self._waiting.append(place)
            place.leads, self._led = not self._led, True
        if not place.leads:
            place.called.wait()
        if place.leads:
            self._lead()

    def _lead(self) -> None:
        """The run of the first who wait; the leader is the very first. Then whoever is first now leads."""
        with self._changing:
            taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            self._run([place.asked for place in taken])
        finally:
            for place in taken:
                place.called.set()
            self._call_next()

    def _call_next(self) -> None:
        with self._changing:
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].leads = True
                self._waiting[0].called.set()
