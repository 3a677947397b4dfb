"""Named points at which a test may have the process kill itself, to prove that nothing is lost there.

`TABIAN_CRASH_AT=relay-before-mark:3,worker-before-ack` kills the process with SIGKILL the third time it passes the
first point or when it reaches the second, after noting the name in the file `TABIAN_CRASH_LOG`. Unset, a crash point
costs one look-up.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

_lock = threading.Lock()
_passed: dict[str, int] = {}


def crash_point(name: str) -> None:
    """Die here if the environment says so."""
    wanted = os.environ.get("TABIAN_CRASH_AT")
    if not wanted:
        return
    for entry in wanted.split(","):
        point, _, count = entry.partition(":")
        if point == name:
            with _lock:
                _passed[name] = _passed.get(name, 0) + 1
                if _passed[name] >= int(count or 1):
                    _die(name)


def _die(name: str) -> None:
    log = os.environ.get("TABIAN_CRASH_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(name + "\n")
    os.kill(os.getpid(), signal.SIGKILL)
