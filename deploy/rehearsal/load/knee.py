"""How many acts a second are answered in time: clerks confirm and take it back, at a rate that grows until they wait; or
beside a flood, at one that falls until they wait no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from deploy.rehearsal.load.caller import Answer, Call, Caller
from deploy.rehearsal.load.calls import Pass, confirmation, undoing
from deploy.rehearsal.load.figures import outcome

IN_TIME_SECONDS = 0.25
"""What 99 of 100 acts may take (p99)."""
STEP_SECONDS = 8.0
LEAST_PER_S = 10.0
"""No knee is looked for below this."""
_FIRST, _GROWTH = 40.0, 1.25
_FEW = 8
Beside = Callable[[float], AbstractContextManager[object]]
"""The rate of the acts → what comes beside them, for a step."""


@dataclass(frozen=True, slots=True)
class Knee:
    """The highest rate (acts a second) at which all were answered well and in time, 0 if none; and each step's figures."""

    per_s: float
    steps: list[dict[str, Any]]


async def find_knee(caller: Caller, versions: Mapping[str, str], passes: Pass) -> Knee:
    """Every step is a load of its own. `versions`: school → sha256 of the version it is ready to confirm; afterwards all
    are ready again."""
    rate, knee, steps, in_time = _FIRST, 0.0, [], True
    while in_time:
        calls = confirmed_and_undone(versions, passes, round(rate * STEP_SECONDS / 2))
        step, in_time = _judged(rate, await caller.paced(calls, rate))
        steps.append(step)
        knee, rate = rate if in_time else knee, rate * _GROWTH
    await make_ready(caller, versions, passes)
    return Knee(round(knee, 1), steps)


async def knee_beside(
    caller: Caller, versions: Mapping[str, str], passes: Pass, start: float, beside: Beside
) -> Knee:
    """The first rate, from `start` downwards, at which acts are in time while something comes beside them."""
    rate, steps, in_time = max(start, LEAST_PER_S), [], False
    while not in_time and rate >= LEAST_PER_S:
        calls = confirmed_and_undone(versions, passes, round(rate * STEP_SECONDS / 2))
        with beside(rate):
            answers = await taking_turns(caller, calls, rate)
        step, in_time = _judged(rate, answers)
        steps.append(step)
        rate = rate if in_time else rate / _GROWTH
    await make_ready(caller, versions, passes)
    return Knee(round(rate, 1) if in_time else 0.0, steps)


def _judged(rate: float, answers: Sequence[Answer]) -> tuple[dict[str, Any], bool]:
    """The step's figures, and whether all were answered well and in time."""
    step = {"rate": round(rate), **outcome(answers)}
    return step, step["p99_s"] <= IN_TIME_SECONDS and all(answer.good for answer in answers)


async def taking_turns(caller: Caller, calls: Sequence[Call], rate: float) -> list[Answer]:
    """Open loop, but nobody comes before being answered the last time: what one cannot ask yet waits, and counts from when
    it was due."""
    began, last, asked = caller.now(), dict[str, asyncio.Task[Answer]](), list[asyncio.Task[Answer]]()
    for number, call in enumerate(calls):
        due = began + number / rate
        await caller.until(due)
        asked.append(asyncio.create_task(_after(last.get(call.who), caller, call, due)))
        last[call.who] = asked[-1]
    return list(await asyncio.gather(*asked))


async def _after(before: asyncio.Task[Answer] | None, caller: Caller, call: Call, due: float) -> Answer:
    if before is not None:
        await asyncio.wait([before])
    return await caller.send(call, due)


async def make_ready(caller: Caller, versions: Mapping[str, str], passes: Pass) -> None:
    """Whoever has confirmed takes it back."""
    await caller.every([undoing(code, passes) for code in versions], at_once=_FEW)


def confirmed_and_undone(versions: Mapping[str, str], passes: Pass, pairs: int) -> list[Call]:
    """So many confirmations, each taken back: by all schools in turn, so that between a school's two acts lies time."""
    codes = islice(chain.from_iterable(iter(lambda: list(versions), None)), pairs)
    return list(_turns(list(codes), versions, passes))


def _turns(codes: list[str], versions: Mapping[str, str], passes: Pass) -> Iterator[Call]:
    for start in range(0, len(codes), len(versions)):
        turn = codes[start : start + len(versions)]
        yield from (confirmation(code, versions[code], passes) for code in turn)
        yield from (undoing(code, passes) for code in turn)
