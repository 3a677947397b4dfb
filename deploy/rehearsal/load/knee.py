"""How many acts a second are answered in time: clerks confirm and take it back, at a rate that grows until they wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from deploy.rehearsal.load.caller import Call, Caller
from deploy.rehearsal.load.calls import Pass, confirmation, undoing
from deploy.rehearsal.load.figures import outcome

IN_TIME_SECONDS = 0.25
"""What 99 of 100 acts may take (p99)."""
_FIRST, _GROWTH, _STEP_SECONDS = 40.0, 1.25, 8.0
_FEW = 8


@dataclass(frozen=True, slots=True)
class Knee:
    """The highest rate (acts a second) at which all were answered well and in time, 0 if none; and each step's figures."""

    per_s: float
    steps: list[dict[str, Any]]


async def find_knee(caller: Caller, versions: Mapping[str, str], passes: Pass) -> Knee:
    """Every step is a load of its own. `versions`: school → sha256 of the version it is ready to confirm; afterwards all
    are ready again."""
    rate, knee, steps, in_time, most = _FIRST, 0.0, [], True, 0
    while in_time:
        most = round(rate * _STEP_SECONDS / 2)
        calls = _confirmed_and_undone(versions, passes, most)
        answers = await caller.paced(calls, rate)
        step = {"rate": round(rate), **outcome(answers)}
        steps.append(step)
        in_time = step["p99_s"] <= IN_TIME_SECONDS and all(answer.good for answer in answers)
        knee, rate = rate if in_time else knee, rate * _GROWTH
    await caller.every((undoing(code, passes) for code in islice(versions, most)), at_once=_FEW)
    return Knee(round(knee, 1), steps)


def _confirmed_and_undone(versions: Mapping[str, str], passes: Pass, pairs: int) -> list[Call]:
    """So many confirmations, each taken back: by all schools in turn, so that between a school's two acts lies time."""
    codes = islice(chain.from_iterable(iter(lambda: list(versions), None)), pairs)
    return list(_turns(list(codes), versions, passes))


def _turns(codes: list[str], versions: Mapping[str, str], passes: Pass) -> Iterator[Call]:
    for start in range(0, len(codes), len(versions)):
        turn = codes[start : start + len(versions)]
        yield from (confirmation(code, versions[code], passes) for code in turn)
        yield from (undoing(code, passes) for code in turn)
