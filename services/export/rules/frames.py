"""The stream of a sealed round's schools: frames of one JSON line and an extract's bytes, in order of school code.

`{"school","esa","state","sha256","pupils","counted","not_counted":[{"line","reason"}],"bytes":n}` and a line feed, then n
bytes of the extract of the document `sha256`, zstd-compressed (n = 0 where the school has none, or is not counted). Pure: bytes in,
frames out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.export.rules.faults import PackageFault

MAX_HEADER, MAX_EXTRACT = 2 * 1024 * 1024, 64 * 1024 * 1024
REASONS = ("not-certified", "duplicate-lost", "duplicate-undecided", "cannot-discharge", "under-age")
_HEX = re.compile(r"[0-9a-f]{64}")
_TYPES: Mapping[str, type] = {
    "school": str,
    "esa": str,
    "state": str,
    "pupils": int,
    "counted": bool,
    "not_counted": list,
    "bytes": int,
}


class Interrupted(Exception):
    """The stream ended inside a frame; what came before stands."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One school. `not_counted`: line (1-based) → reason; `packed`: the compressed extract, of a counted school with a document."""

    school: str
    esa: str
    state: str
    sha256: str | None
    pupils: int
    counted: bool
    not_counted: Mapping[int, str]
    packed: bytes = field(repr=False)


def read_frames(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """The frames of a response's body, however it is cut. Raises Interrupted, or PackageFault `stream-malformed`."""
    source = _Buffered(chunks)
    while (line := source.line()) is not None:
        header = _header(line)
        yield _frame(header, source.exactly(header["bytes"]))


class _Buffered:
    """Lines and counted bytes out of chunks, holding no more than one frame."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = bytearray()

    def line(self) -> bytes | None:
        """The next line without its end; None where the stream ends between frames."""
        searched = 0
        while (end := self._held.find(b"\n", searched)) < 0:
            searched = len(self._held)
            if searched > MAX_HEADER:
                raise malformed("a header line without an end")
            if not self._more():
                if self._held:
                    raise Interrupted
                return None
        return self._take(end + 1)[:-1]

    def exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            if not self._more():
                raise Interrupted
        return self._take(size)

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._held += chunk
        return True

    def _take(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


def _header(line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        raise malformed("a header that is no JSON") from None
    if not isinstance(header, dict):
        raise malformed("a header that is no object")
    for name, kind in _TYPES.items():
        if type(header.get(name)) is not kind:
            raise malformed(f"the member {name}")
    sha256 = header.get("sha256")
    if sha256 is not None and not (isinstance(sha256, str) and _HEX.fullmatch(sha256)):
        raise malformed("the member sha256")
    if not 0 <= header["bytes"] <= MAX_EXTRACT or header["pupils"] < 0:
        raise malformed("a size out of bounds")
    if (sha256 is not None and header["counted"]) != (header["bytes"] > 0):
        raise malformed("an extract that is not to be there, or is not there")
    return header


def _frame(header: Mapping[str, Any], packed: bytes) -> Frame:
    return Frame(
        school=header["school"],
        esa=header["esa"],
        state=header["state"],
        sha256=header.get("sha256"),
        pupils=header["pupils"],
        counted=header["counted"],
        not_counted=_lines(header["not_counted"], header["pupils"]),
        packed=packed,
    )


def _lines(given: list[Any], pupils: int) -> dict[int, str]:
    lines: dict[int, str] = {}
    for item in given:
        if (
            not isinstance(item, dict)
            or type(item.get("line")) is not int
            or item.get("reason") not in REASONS
        ):
            raise malformed("an entry of not_counted")
        if not 1 <= item["line"] <= pupils or item["line"] in lines:
            raise malformed("a line in not_counted")
        lines[item["line"]] = item["reason"]
    return lines


def malformed(what: str) -> PackageFault:
    """The text names the member, never a value."""
    return PackageFault(
        "stream-malformed",
        f"ข้อมูลที่รับจากบริการ snapshot ผิดรูปแบบ ({what})",
        f"What snapshot sent is not in the agreed form ({what})",
    )
