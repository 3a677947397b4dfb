"""The files of a package on disk: written into a folder of their own, hashed on the way, and moved into place whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from services.export.rules.description import FileFacts

PRIVATE_FOLDER = 0o700


class HashedFile:
    """A file that is only appended to; knows its rows, bytes and hash without reading itself again."""

    def __init__(self, path: Path, header: bytes = b"") -> None:
        self._name = path.name
        self._file: BinaryIO = path.open("wb")
        self._hash = hashlib.sha256()
        self.rows = self.bytes = 0
        self.append(header, rows=0)

    def append(self, data: bytes, *, rows: int) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.bytes += len(data)
        self.rows += rows

    def close(self) -> FileFacts:
        """On disk for good when this returns."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return FileFacts(self._name, self.rows, self.bytes, self._hash.hexdigest())

    def abandon(self) -> None:
        self._file.close()


class Store:
    """The folder of all packages. Files hold national IDs: the folder is its owner's alone."""

    def __init__(self, data: Path) -> None:
        self.root = data / "exports"

    def folder(self, export_id: str) -> Path:
        return self.root / export_id

    @contextmanager
    def workplace(self, export_id: str, attempt: int) -> Iterator[Path]:
        """An empty folder for one attempt; what earlier attempts left is removed, and this one's at the end."""
        self.root.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        for left in self.root.glob(f".{export_id}.*"):
            shutil.rmtree(left, ignore_errors=True)
        place = self.root / f".{export_id}.{attempt}"
        place.mkdir(mode=PRIVATE_FOLDER)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def publish(self, place: Path, export_id: str) -> None:
        """Move a complete folder into place. One that is there was finished by a process that died before saying so."""
        target = self.folder(export_id)
        if target.exists():
            shutil.rmtree(target)
        _sync(place)
        place.rename(target)
        _sync(self.root)


def write_whole(path: Path, data: bytes) -> FileFacts:
    file = HashedFile(path, data)
    return file.close()


def shapes(files: Sequence[FileFacts]) -> list[dict[str, object]]:
    """As the API lists them."""
    return [{"name": f.name, "bytes": f.bytes, "sha256": f.sha256, "rows": f.rows} for f in files]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
