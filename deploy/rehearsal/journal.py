"""Every answer the system gave to the people of a rehearsal, one JSON line each, for the checker to hold against the
databases afterwards. A request that got no answer is noted as "maybe": it may have had its effect or not.

Only what names things is kept (ids, hashes, states, signatures); nothing about pupils.
"""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import httpx

KEPT = ("upload", "state", "sha256", "school", "round", "case", "export", "closure", "number", "type")


class Journal:
    """Appends to a file; thread-safe. Lines: method, path, who, status (null = maybe), sent (SHA-256), got."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def answer(self, who: str, answer: httpx.Response) -> None:
        """Note an answer."""
        request = answer.request
        self.note(request.method, request.url.path, who, answer.status_code, request.content, answer.content)

    def maybe(self, who: str, method: str, path: str) -> None:
        """Note a request that got no answer."""
        self._write(method, path, who, None, b"", {})

    def note(self, method: str, path: str, who: str, status: int, sent: bytes, answer: bytes) -> None:
        """Note an answer by its parts: the bodies that were sent and that came."""
        self._write(method, path, who, status, sent, _kept(answer))

    def _write(
        self, method: str, path: str, who: str, status: int | None, sent: bytes, got: dict[str, Any]
    ) -> None:
        line = {
            "method": method,
            "path": path,
            "who": who,
            "status": status,
            "sent": hashlib.sha256(sent).hexdigest() if sent else "",
            "got": got,
        }
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _kept(answer: bytes) -> dict[str, Any]:
    if not answer.startswith(b"{"):
        return {}
    try:
        body = json.loads(answer)
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    kept = {key: body[key] for key in KEPT if isinstance(body.get(key), (str, int))}
    receipt = body.get("receipt")
    if isinstance(receipt, dict):
        kept["signature"] = receipt["signature"]
        kept["act"] = receipt["payload"]["act"]
    return kept
