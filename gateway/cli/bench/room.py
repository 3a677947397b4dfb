"""Whether the disks have room for what a bench makes, asked before the first file is made. Not here: the files."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Final

import click

from gateway.stack.compose import docker

FILES_MIB: Final = 0.38
"""Of a school: what it sends, in the nation's folder (11.0 GB of 29,579 schools)."""
HELD_MIB: Final = 0.35
"""Of a school: what the stack holds of it in databases, queues, logs and the journal."""
ANYWAY_MIB: Final = 6000
"""PostgreSQL's log of changes (max_wal_size), the databases of the yardsticks, and RabbitMQ's own reserve."""


def check_room(nation: Path, schools: int) -> None:
    """Raises ClickException where a disk has too little for that nation, which is made where it is not there yet, and for
    the stack that takes it in."""
    wanted: Counter[Path] = Counter()
    if not nation.exists():
        wanted[_existing(nation)] += round(schools * FILES_MIB)
    wanted[_docker_folder()] += round(ANYWAY_MIB + schools * HELD_MIB)
    for disk, mib in _by_disk(wanted).items():
        free = shutil.disk_usage(disk).free // 2**20
        if free < mib:
            raise click.ClickException(
                f"ที่ว่างในดิสก์ไม่พอ · too little room at {disk}: {schools} schools need {mib:,} MiB, {free:,} MiB are free"
            )


def _by_disk(wanted: Counter[Path]) -> dict[Path, int]:
    """What is wanted of the same disk, together, under one of its folders."""
    disks: dict[int, Path] = {}
    together: Counter[Path] = Counter()
    for folder, mib in wanted.items():
        together[disks.setdefault(folder.stat().st_dev, folder)] += mib
    return dict(together)


def _docker_folder() -> Path:
    """Where Docker keeps its volumes; the root where that is another machine's."""
    return _existing(Path(docker("info", "--format", "{{.DockerRootDir}}").strip()))


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())
