"""What matching may know of a pupil: a keyed HMAC instead of the national ID, names, birth date and sex.

Also the key by which a pupil is addressed on the school's own pages: never the ID, unique within the roster.
"""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Sequence

import polars as pl

from services.contracts.roster.identity import id_faults

KEY_HEX = 32


def identity_keys(frame: pl.DataFrame, secret: bytes) -> list[str]:
    """The identity key of each line of canonical rosters: keyed HMAC-SHA256 of a well-formed ID, 32 hex digits; "" for one
    that is missing or malformed."""
    keyed = hmac.new(secret, digestmod=hashlib.sha256)
    well_formed = frame.select(id_faults("national_id").is_null()).to_series()

    def key(national_id: str) -> str:
        mac = keyed.copy()  # with the secret taken in already
        mac.update(national_id.encode())
        return mac.hexdigest()[:KEY_HEX]

    return [
        key(national_id) if well else ""
        for national_id, well in zip(frame["national_id"].to_list(), well_formed.to_list(), strict=True)
    ]


def pupil_keys(frame: pl.DataFrame, identities: Sequence[str], secret: bytes) -> list[str]:
    """The address of each line: its identity key, or (missing, malformed, repeated) one made from the whole line."""
    taken: set[str] = set()
    keys: list[str] = []
    for line, identity in enumerate(identities):
        key = identity if identity and identity not in taken else _line_key(frame, line, secret)
        taken.add(key)
        keys.append(key)
    return keys


def _line_key(frame: pl.DataFrame, line: int, secret: bytes) -> str:
    content = "\x1f".join([str(line), *map(str, frame.row(line))])
    return "r" + hmac.digest(secret, content.encode(), hashlib.sha256).hex()[: KEY_HEX - 1]


def identified_csv(frame: pl.DataFrame, identities: Sequence[str]) -> bytes:
    """The projection dedup receives: CSV `line,key,first_name,last_name,birth_date,sex`."""
    projection = pl.DataFrame(
        {
            "line": range(1, frame.height + 1),
            "key": pl.Series(list(identities), dtype=pl.String),
            "first_name": frame["first_name_th"],
            "last_name": frame["last_name_th"],
            "birth_date": frame["birth_date"],
            "sex": frame["sex"],
        }
    )
    buffer = io.BytesIO()
    projection.write_csv(buffer)
    return buffer.getvalue()


def keys_by_line(identified: bytes) -> list[str]:
    """The identity key of each line of a projection; "" where there is none."""
    if b'"' not in identified:  # as in nearly all: the key stands between the first two commas
        return [line.split(b",", 2)[1].decode() for line in identified.removesuffix(b"\n").split(b"\n")[1:]]
    frame = pl.read_csv(io.BytesIO(identified), infer_schema=False, columns=["key"])
    return frame["key"].fill_null("").to_list()


def keys_of(identified: bytes) -> set[str]:
    """All identity keys of a projection."""
    return set(keys_by_line(identified)) - {""}
