"""Mischief done to a stack while something else goes on: a few at a time, each service by one at a time."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Sequence

from gateway.stack.compose import Stack, StackFault
from gateway.stack.mischief import Mischief, commit

PAUSE_SECONDS = (0.2, 1.0)
AT_ONCE = 2


class Trouble:
    """Does one mischief of `plan` after another, AT_ONCE at a time, until it is stopped. Afterwards `done` is what was
    done, `faults` what the stack did not recover from, and `recovered_seconds_max` the longest recovery."""

    def __init__(self, stack: Stack, plan: Sequence[Mischief], dice: random.Random) -> None:
        self._stack, self._dice, self._left = stack, dice, list(reversed(plan))
        self.done: list[Mischief] = []
        self.faults: list[str] = []
        self.recovered_seconds_max = 0.0
        self._stop = threading.Event()
        self._busy: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(AT_ONCE)]

    def __enter__(self) -> Trouble:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while self._left and not self._stop.wait(self._dice.uniform(*PAUSE_SECONDS)):
            try:
                mischief = self._left.pop()
            except IndexError:  # the other thread took the last
                return
            with self._busy[mischief.service]:
                self._commit(mischief)

    def _commit(self, mischief: Mischief) -> None:
        try:
            seconds = commit(self._stack, mischief)
        except (StackFault, TimeoutError, ProcessLookupError) as problem:
            self.faults.append(f"{mischief.name}: {problem}")
            return
        self.done.append(mischief)
        self.recovered_seconds_max = max(self.recovered_seconds_max, round(seconds, 1))
