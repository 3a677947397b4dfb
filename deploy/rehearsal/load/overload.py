"""Recorded people while something else floods the system: clerks who act at a rate, and readers beside them.

Not here: the flood (`deploy.rehearsal.load.flood`), and what the rate should be (`deploy.rehearsal.load.knee`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.rehearsal.load.caller import Answer, Call, Caller
from deploy.rehearsal.load.calls import Pass, page
from deploy.rehearsal.load.knee import confirmed_and_undone, make_ready, taking_turns

READERS: Final = 0.1
"""For each act so many people open a school's page."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the acts and of the pages, due in the seconds from `began` to `ended` of the load."""

    acts: list[Answer]
    pages: list[Answer]
    began: float
    ended: float

    @property
    def goodput(self) -> float:
        """The part of the acts that was answered well by the time the last was due."""
        return sum(a.good and a.done <= self.ended for a in self.acts) / len(self.acts)

    @property
    def silent(self) -> float:
        """Seconds: the longest that anybody was left without an answer."""
        return max(a.silent for a in (*self.acts, *self.pages))

    @property
    def unserved(self) -> int:
        """People who got no good answer, however often they came again."""
        return sum(not a.good for a in (*self.acts, *self.pages))


async def recorded(
    caller: Caller, versions: Mapping[str, str], passes: Pass, rate: float, seconds: float
) -> Recorded:
    """Acts at the rate, and pages, for so many seconds, and until everybody was served or has lost patience. Before and
    afterwards all of `versions` (school → sha256) are ready to confirm."""
    pairs = max(1, round(rate * seconds / 2))
    acts = confirmed_and_undone(versions, passes, pairs)
    looks = _looks(list(versions), passes, max(1, round(2 * pairs * READERS)))
    began = caller.now()
    done, seen = await asyncio.gather(
        taking_turns(caller, acts, rate), caller.paced(looks, len(looks) * rate / len(acts))
    )
    await make_ready(caller, versions, passes)
    return Recorded(done, seen, began, began + len(acts) / rate)


def _looks(schools: Sequence[str], passes: Pass, number: int) -> list[Call]:
    return [page(f"director-{code}", "director", code, passes) for code in _around(schools, number)]


def _around(schools: Sequence[str], number: int) -> list[str]:
    return [schools[n % len(schools)] for n in range(number)]
