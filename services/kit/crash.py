"""Named points at which a test may have the process kill itself, to prove that nothing is lost there.

`TABIAN_CRASH_AT=relay-before-mark:3,worker-before-ack` kills the process with SIGKILL the third time it passes the
first point or when it reaches the second, after noting the name in the file `TABIAN_CRASH_LOG`; what is noted there
is not done again by the process that comes after it. Unset, a crash point costs one look-up.
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
                if _passed[name] >= int(count or 1) and name not in noted(os.environ.get("TABIAN_CRASH_LOG")):
                    _die(name)


def noted(log: str | Path | None) -> list[str]:
    """The crash points that were died at, in order, as the file `log` tells."""
    return Path(log).read_text(encoding="utf-8").splitlines() if log and Path(log).exists() else []


def _die(name: str) -> None:
    log = os.environ.get("TABIAN_CRASH_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(name + "\n")
    os.kill(os.getpid(), signal.SIGKILL)
    # the first process of a container cannot kill itself; this ends it as abruptly
    os._exit(128 + signal.SIGKILL)
