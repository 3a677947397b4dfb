"""Crash points in a stack's processes: which there are, which a round shall die at, and which it died at.

The processes are told by a file that compose lays over docker-compose.yml, and note what they did in files of this
folder (services/kit/crash.py). Not here: what a crash point is for.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.kit.crash import noted

INSIDE = "/run/crashes"
CHATTY = ("intake", "dedup")
"""Services that see many events in a round, so that the third may be the one to die at."""
_RELAY = ("relay-before-publish", "relay-before-mark", "relay-after-mark")
_WORKER = ("worker-before-commit", "worker-after-commit", "worker-after-ack")
_CLOSING = tuple(
    f"closing-{when}-{step}"
    for step in ("fenced", "settled", "compared", "sealed")
    for when in ("before", "after")
)
_OWN = {
    "intake": ("checker-after-claim", "checker-before-commit", "checker-after-commit", "intake-after-fence"),
    "dedup": ("dedup-after-fence", "dedup-after-settle"),
    "snapshot": _CLOSING,
    "buildings": (),
    "export": ("export-after-page", "export-before-commit"),
}


@dataclass(frozen=True, slots=True, order=True)
class Crash:
    """`process` kills itself at the crash point `point`."""

    process: str
    point: str

    @property
    def name(self) -> str:
        return f"{self.point} {self.process}"


def every_crash() -> list[Crash]:
    """All crash points of all processes that have any."""
    relays = [Crash(f"{service}-relay", point) for service in _OWN for point in _RELAY]
    workers = [Crash(f"{service}-worker", point) for service in _OWN for point in (*_WORKER, *_OWN[service])]
    return [*relays, *workers]


def arm(folder: Path, crashes: Iterable[Crash], dice: random.Random) -> Path:
    """Write the file that makes the processes die at these points; returns it for compose."""
    log = folder / "crashes"
    log.mkdir(parents=True, exist_ok=True)
    log.chmod(0o777)  # the processes in the containers have a user of their own
    points: dict[str, list[str]] = {}
    for crash in sorted(crashes):
        chatty = crash.process.startswith(CHATTY) and crash.point.startswith(("relay", "worker"))
        times = dice.randint(1, 3) if chatty else 1
        points.setdefault(crash.process, []).append(f"{crash.point}:{times}")
    over = folder / "crashes.yml"
    services = {process: _told(log, process, wanted) for process, wanted in points.items()}
    over.write_text(json.dumps({"services": services}, indent=2))
    return over


def _told(log: Path, process: str, wanted: Sequence[str]) -> dict[str, object]:
    environment = {"TABIAN_CRASH_AT": ",".join(wanted), "TABIAN_CRASH_LOG": f"{INSIDE}/{process}"}
    return {"environment": environment, "volumes": [f"{log.resolve()}:{INSIDE}"]}


def crashed(folder: Path) -> list[Crash]:
    """What the processes of an armed stack died at."""
    return [Crash(file.name, point) for file in (folder / "crashes").iterdir() for point in noted(file)]
