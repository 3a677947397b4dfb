"""The ids of events: UUIDs of version 7 (RFC 9562), which begin with the millisecond in which they were made.

Rows made one after the other lie side by side in the index of the outbox and in that of every inbox, and both sides can
count the same events, those of some minutes, without a column or an index for it. Real time, not the round clock.
"""

from __future__ import annotations

import os
import time
import uuid

_VERSION, _VARIANT = 7 << 76, 0b10 << 62


def new_id() -> str:
    """An id of now. Written out here because the standard library has it from Python 3.14 on only."""
    noise = int.from_bytes(os.urandom(10), "big")
    random_a, random_b = noise >> 68, noise & (1 << 62) - 1
    return str(
        uuid.UUID(int=_time(time.time_ns() // 1_000_000) | _VERSION | random_a << 64 | _VARIANT | random_b)
    )


def first_at(second: int) -> uuid.UUID:
    """The lower bound of all ids made at this second (of Unix time) or later."""
    return uuid.UUID(int=_time(second * 1000))


def second_of(event_id: uuid.UUID) -> int:
    """The second (of Unix time) in which this id was made."""
    return (event_id.int >> 80) // 1000


def _time(milliseconds: int) -> int:
    return (milliseconds & (1 << 48) - 1) << 80
