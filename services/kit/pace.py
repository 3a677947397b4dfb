"""How often a loop that takes what waits begins anew: at once after a rest, and else so seldom that some more waits again.

A transaction, a report and a confirm for every single message are most of what a message costs.
"""

from __future__ import annotations

import threading
import time

PACE_SECONDS = 0.05


class Pace:
    """For one loop in one thread."""

    def __init__(self) -> None:
        self._began = 0.0

    def begin(self) -> None:
        """A round begins."""
        self._began = time.monotonic()

    def rest(self, stop: threading.Event) -> None:
        """Until the round began PACE_SECONDS ago, or `stop` is set."""
        stop.wait(max(0.0, self._began + PACE_SECONDS - time.monotonic()))
