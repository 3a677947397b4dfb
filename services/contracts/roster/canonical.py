"""The canonical roster: one school's roll as one document whose bytes depend on nothing but its content. CSV in UTF-8
with LF and RFC 4180 quoting, header `COLUMNS`, rows in a total order, named by the SHA-256 of its bytes. Reading a
clerk's file and judging its values are intake's business."""

from __future__ import annotations

import hashlib
import io
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import zstandard

from services.contracts.roster.codes import grades
from services.contracts.roster.fields import COLUMNS
from services.contracts.roster.normalise import normalise

FORMAT_VERSION = 1
"""Goes up when the same roster would get other bytes: another column, order, spelling or quoting."""

MAX_UNPACKED = 64 * 1024 * 1024
MEDIA_TYPE = "text/csv"

_COMMA, _NEWLINE = b",\n"


def _header(columns: Sequence[str]) -> bytes:
    return ",".join(columns).encode() + b"\n"


_HEADER = _header(COLUMNS)
_SCHEMA = dict.fromkeys(COLUMNS, pl.String)
_TIES = ("student_code", "national_id")
_UNRANKED = 2**31 - 1


class NotCanonical(ValueError):
    """These bytes are no canonical roster. The message never holds a value."""


def empty() -> pl.DataFrame:
    """The roster of a school without pupils: all columns, no rows."""
    return pl.DataFrame(schema=_SCHEMA)


def canonicalise(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with every canonical column, in canonical order, spelling and row order.

    Missing columns are added empty, unknown ones dropped. Columns whose name begins with `_` come along behind
    (`_source_row`); one called `_roster` (an integer) groups the rows of many rosters, which are sorted within it.
    Rows are ordered by grade, room as a number, student code, national ID and then the whole row, so that the order in
    which they came never matters.
    """
    extra = [name for name in frame.columns if name.startswith("_")]
    complete = [
        pl.col(name).cast(pl.String).fill_null("") if name in frame.columns else pl.lit("").alias(name)
        for name in COLUMNS
    ]
    return _sorted(normalise(frame.select(*complete, *extra)), extra)


def canonicalise_many(frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The same for many rosters in one pass, which costs a tenth of one pass each; the n-th result is of the n-th frame."""
    if not frames:
        return []
    numbered = [
        frame.with_columns(pl.lit(number, pl.Int32).alias("_roster")) for number, frame in enumerate(frames)
    ]
    merged = canonicalise(pl.concat(numbered, how="diagonal")).drop("_roster")
    return _sliced(merged, [frame.height for frame in frames])


def _sorted(frame: pl.DataFrame, extra: Sequence[str]) -> pl.DataFrame:
    labels = [grade.label for grade in grades()]
    ranked = frame.with_columns(
        pl.col("grade")
        .replace_strict(labels, list(range(len(labels))), default=_UNRANKED, return_dtype=pl.Int32)
        .alias("_grade_rank"),
        pl.col("room").cast(pl.Int32, strict=False).fill_null(_UNRANKED).alias("_room_rank"),
    )
    keys = [*(["_roster"] if "_roster" in extra else []), "_grade_rank", "_room_rank", *_TIES]
    # A full sort compares 89 columns per row; it is only needed where the leading keys tie.
    if ranked.select(pl.struct(keys).is_duplicated().any()).item():
        keys += [name for name in COLUMNS if name not in _TIES]
    return ranked.sort(keys, maintain_order=True).select([*COLUMNS, *extra])


def encode(frame: pl.DataFrame, columns: Sequence[str] = COLUMNS) -> bytes:
    """The bytes of a canonicalised roster, or of some columns of it: header and one line per pupil; a school without pupils has the
    header only."""
    if frame.height == 0:
        return _header(columns)
    # An empty string would be written as "" with quotes; a null is written as nothing.
    written = pl.col(columns)
    bare = frame.select(pl.when(written != "").then(written).name.keep())
    buffer = io.BytesIO()
    bare.write_csv(buffer, line_terminator="\n", quote_style="necessary")
    return buffer.getvalue()


def encode_many(frames: Sequence[pl.DataFrame], columns: Sequence[str] = COLUMNS) -> list[bytes]:
    """As `encode` of many, written in one pass; the n-th bytes are of the n-th frame."""
    written = encode(pl.concat([frame.select(columns) for frame in frames]), columns) if frames else b""
    ends = np.flatnonzero(np.frombuffer(written, np.uint8) == _NEWLINE) + 1
    if len(ends) != 1 + sum(frame.height for frame in frames):  # a cell with a line break in it
        return [encode(frame, columns) for frame in frames]
    results: list[bytes] = []
    header, line = _header(columns), 0
    for frame in frames:
        results.append(header + written[ends[line] : ends[line + frame.height]])
        line += frame.height
    return results


def decode(data: bytes) -> pl.DataFrame:
    """The roster in these bytes. Raises NotCanonical unless they are exactly what `encode` writes for it.

    Spelling and row order are not judged again: the code tables of another year may differ, a sealed document does not.
    """
    if not data.startswith(_HEADER):
        raise NotCanonical("the header is not that of a canonical roster")
    if len(data) == len(_HEADER):
        return empty()
    try:
        frame = pl.read_csv(io.BytesIO(data), schema=_SCHEMA, encoding="utf8", truncate_ragged_lines=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        raise NotCanonical("the bytes are not a table of the canonical columns") from None
    frame = frame.with_columns(pl.all().fill_null(""))
    if encode(frame) != data:
        raise NotCanonical("the bytes are written otherwise than a canonical roster is")
    return frame


def decode_many(bodies: Sequence[bytes]) -> list[pl.DataFrame]:
    """The rosters in many documents, read in one pass; the n-th is of the n-th. Raises NotCanonical if one is not."""
    heights = [body.count(b"\n") - 1 for body in bodies]
    if not all(body.startswith(_HEADER) and body.endswith(b"\n") for body in bodies) or not any(heights):
        return [decode(body) for body in bodies]
    lines = _joined(bodies)
    try:
        merged = pl.read_csv(lines, schema=_SCHEMA, truncate_ragged_lines=False)
    except pl.exceptions.PolarsError:
        return [decode(body) for body in bodies]
    frames = _sliced(merged.with_columns(pl.all().fill_null("")), heights)
    # What is written again as it came was read rightly, each from its own bytes; else see which one is to blame.
    return frames if encode_many(frames) == list(bodies) else [decode(body) for body in bodies]


def decode_columns(bodies: Sequence[bytes], columns: Sequence[str]) -> list[pl.DataFrame]:
    """Some columns of many documents; else as `decode_many`. Where no cell is quoted, as in nearly every document, commas
    and line ends are all there is to know of the others, and they are not read."""
    heights = [body.count(b"\n") - 1 for body in bodies]
    if not all(_is_plain(body, height) for body, height in zip(bodies, heights, strict=True)):
        return [frame.select(columns) for frame in decode_many(bodies)]
    return _sliced(select_many(bodies, columns).with_columns(pl.all().fill_null("")), heights)


def _is_plain(body: bytes, height: int) -> bool:
    """Whether this is a header, so many lines of as many cells, and no sign that a cell would be quoted for."""
    if not body.startswith(_HEADER) or not body.endswith(b"\n") or b'"' in body or b"\r" in body:
        return False
    signs = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero((signs == _COMMA) | (signs == _NEWLINE))
    lines = ends[len(COLUMNS) - 1 :: len(COLUMNS)]
    return (
        len(ends) == (height + 1) * len(COLUMNS) and bool((signs[lines] == _NEWLINE).all()) and is_utf8(body)
    )


def is_utf8(data: bytes) -> bool:
    """Whether these bytes are text in UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def select_many(bodies: Sequence[bytes], columns: Sequence[str], of: Sequence[str] = COLUMNS) -> pl.DataFrame:
    """These columns of many documents (or of what `encode_many` wrote of their columns `of`), one below the other, in one pass; empty cells
    are null. For what was judged when it came, and is known by its hash: of its form nothing but the header is judged again. Raises
    NotCanonical."""
    header = _header(of)
    if not all(body.startswith(header) for body in bodies):
        raise NotCanonical("the header is not that of the columns expected")
    lines = _joined(bodies, header)
    if len(lines) == len(header):
        return empty().select(columns)
    try:
        return pl.read_csv(lines, columns=list(columns), infer_schema=False).select(columns)
    except pl.exceptions.PolarsError:
        raise NotCanonical("the bytes are not tables of the canonical columns") from None


def _joined(bodies: Sequence[bytes], header: bytes = _HEADER) -> bytes:
    """One header, and the lines of all these documents."""
    return b"".join([header, *(body[len(header) :] for body in bodies)])


def _sliced(merged: pl.DataFrame, heights: Sequence[int]) -> list[pl.DataFrame]:
    """Frames of these heights, one after the other."""
    ends = itertools.accumulate(heights)
    return [merged.slice(end - height, height) for end, height in zip(ends, heights, strict=True)]


def digest(data: bytes) -> str:
    """The name of a document: SHA-256 of its bytes in hexadecimal, as `sha256sum` prints it."""
    return hashlib.sha256(data).hexdigest()


def pack(data: bytes) -> bytes:
    """The document compressed (zstd, level 3) as it is stored and sent."""
    return zstandard.ZstdCompressor(level=3, write_content_size=True).compress(data)


def unpack(packed: bytes) -> bytes:
    """The document in its plain bytes. Raises NotCanonical for bytes that are no zstd or hold more than MAX_UNPACKED."""
    try:
        # The declared size is checked before a byte is allocated; the decompressor refuses a frame that lies about it.
        if not 0 <= zstandard.frame_content_size(packed) <= MAX_UNPACKED:
            raise NotCanonical("the document is larger than a roster can be, or does not say how large it is")
        return zstandard.ZstdDecompressor().decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError:
        raise NotCanonical("the bytes are not one whole zstd frame") from None


def with_values(frame: pl.DataFrame, line: int, values: Mapping[str, str]) -> pl.DataFrame:
    """A roster in which the pupil on `line` (1-based) has these values, canonical again. KeyError for an unknown field,
    IndexError for a line that is not there."""
    if not 1 <= line <= frame.height:
        raise IndexError("no such line")
    for key in values:
        if key not in _SCHEMA:
            raise KeyError(key)
    here = pl.int_range(pl.len()) == line - 1
    return canonicalise(
        frame.with_columns(
            pl.when(here).then(pl.lit(value)).otherwise(pl.col(key)).alias(key)
            for key, value in values.items()
        )
    )


def without_line(frame: pl.DataFrame, line: int) -> pl.DataFrame:
    """A roster without the pupil on `line` (1-based). IndexError for a line that is not there."""
    if not 1 <= line <= frame.height:
        raise IndexError("no such line")
    return frame.filter(pl.int_range(pl.len()) != line - 1)
