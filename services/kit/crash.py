"""Named points at which a test may have the process kill itself, to prove that nothing is lost there.

`TABIAN_CRASH_AT=relay-before-mark:3` kills the process with SIGKILL the third time it passes that point. Unset,
a crash point costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal
import threading

_lock = threading.Lock()
_passed: dict[str, int] = {}


def crash_point(name: str) -> None:
    """Die here if the environment says so."""
    wanted = os.environ.get("TABIAN_CRASH_AT")
    if not wanted:
        return
    point, _, count = wanted.partition(":")
    if point != name:
        return
    with _lock:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] >= int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
