"""The manifest of a closing round: every school with the version that counts, and the digest that names it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from services.contracts.event import to_plain
from services.contracts.intake import ManifestEntry

PART_SIZE = 500


def manifest_digest(entries: Iterable[ManifestEntry]) -> str:
    """SHA-256 (hex) over the entries as JSON lines in order of school code."""
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda e: e.school):
        digest.update(json.dumps(to_plain(entry), sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def parts_of(entries: Sequence[ManifestEntry]) -> list[tuple[ManifestEntry, ...]]:
    """The entries in parts of at most PART_SIZE; an empty round has one empty part."""
    return [tuple(entries[i : i + PART_SIZE]) for i in range(0, len(entries), PART_SIZE)] or [()]
