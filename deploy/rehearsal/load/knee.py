"""How many acts a second are answered in time: clerks confirm and take it back, at a rate that grows until they wait; or
beside a flood, at one that falls until they wait no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain, islice
from math import sqrt
from typing import Any

from deploy.rehearsal.load.caller import Answer, Call, Caller
from deploy.rehearsal.load.calls import Pass, confirmation, undoing
from deploy.rehearsal.load.figures import outcome

IN_TIME_SECONDS = 0.25
"""What 99 of 100 acts may take (p99)."""
STEP_SECONDS = 8.0
LEAST_PER_S = 10.0
"""No knee is looked for below this."""
_FIRST, _GROWTH, _FALL = 40.0, 1.5, 1.25
_TRIES, _HALVINGS = 2, 3
"""Whatever else the machine does must not end the search: who fails tries again. Three halvings tell the knee to 5 %."""
_FEW = 8
Beside = Callable[[float], AbstractContextManager[object]]
"""The rate of the acts → what comes beside them, for a step."""


@dataclass(frozen=True, slots=True)
class Knee:
    """The highest rate (acts a second) at which all were answered well and in time, 0 if none; each step's figures; and how
    many acts there were in all."""

    per_s: float
    steps: list[dict[str, Any]]
    acts: int


async def find_knee(
    caller: Caller,
    versions: Mapping[str, str],
    passes: Pass,
    *,
    settle: Callable[[], object] = lambda: None,
    seconds: float = STEP_SECONDS,
) -> Knee:
    """The rate grows until it is too high, then goes between the last that was not and the first that was. `versions`:
    school → sha256 of the version it is ready to confirm; afterwards all are ready again. `settle` waits, after a step that
    failed, until nothing is left of it; `seconds`: how long each rate is tried."""
    search = _Search(caller, versions, passes, settle, seconds)
    borne, rate = 0.0, _FIRST
    while await search.bears(rate):
        borne, rate = rate, rate * _GROWTH
    for _ in range(_HALVINGS if borne else 0):
        middle = sqrt(borne * rate)
        borne, rate = (middle, rate) if await search.bears(middle) else (borne, middle)
    await search.take_back(search.undone)
    return Knee(round(borne, 1), search.steps, search.acts)


@dataclass
class _Search:
    """Every step is a load of its own. `undone`: path → the call that takes a school's confirmation back, of every school
    that was asked for one."""

    caller: Caller
    versions: Mapping[str, str]
    passes: Pass
    settle: Callable[[], object]
    seconds: float
    steps: list[dict[str, Any]] = field(default_factory=list)
    undone: dict[str, Call] = field(default_factory=dict)
    acts: int = 0

    async def bears(self, rate: float) -> bool:
        """Whether all were answered well and in time, if not at once then when tried again."""
        for _ in range(_TRIES):
            if await self._step(rate):
                return True
            await asyncio.to_thread(self.settle)
        return False

    async def _step(self, rate: float) -> bool:
        calls = confirmed_and_undone(self.versions, self.passes, round(rate * self.seconds / 2))
        answers = await taking_turns(self.caller, calls, rate)
        step, in_time = _judged(rate, answers)
        self.steps.append(step)
        self.acts += len(calls)
        self.undone.update((call.path, call) for call in calls if call.method == "DELETE")
        failed = {call.path for call, answer in zip(calls, answers, strict=True) if not answer.good}
        await self.take_back(failed)
        return in_time

    async def take_back(self, paths: Iterable[str]) -> None:
        """Make these ready again, whatever became of them."""
        calls = [self.undone[path] for path in paths]
        self.acts += len(calls)
        await self.caller.every(calls, at_once=_FEW)


async def knee_beside(
    caller: Caller,
    versions: Mapping[str, str],
    passes: Pass,
    start: float,
    beside: Beside,
    *,
    seconds: float = STEP_SECONDS,
) -> Knee:
    """The first rate, from `start` downwards, at which acts are in time while something comes beside them."""
    rate, steps, in_time, acts = max(start, LEAST_PER_S), [], False, 0
    while not in_time and rate >= LEAST_PER_S:
        calls = confirmed_and_undone(versions, passes, round(rate * seconds / 2))
        with beside(rate):
            answers = await taking_turns(caller, calls, rate)
        step, in_time = _judged(rate, answers)
        steps.append(step)
        acts += len(calls)
        rate = rate if in_time else rate / _FALL
    await make_ready(caller, versions, passes)
    return Knee(round(rate, 1) if in_time else 0.0, steps, acts + len(versions))


def _judged(rate: float, answers: Sequence[Answer]) -> tuple[dict[str, Any], bool]:
    """The step's figures, and whether all were answered well and in time."""
    step = {"rate": round(rate), **outcome(answers)}
    return step, step["p99_s"] <= IN_TIME_SECONDS and all(answer.good for answer in answers)


async def taking_turns(caller: Caller, calls: Sequence[Call], rate: float) -> list[Answer]:
    """Open loop, but no school's people come before its last act was answered: what one cannot ask yet waits, and counts from
    when it was due."""
    began, last, asked = caller.now(), dict[str, asyncio.Task[Answer]](), list[asyncio.Task[Answer]]()
    for number, call in enumerate(calls):
        due = began + number / rate
        await caller.until(due)
        desk = call.path.rpartition("/")[0]
        asked.append(asyncio.create_task(_after(last.get(desk), caller, call, due)))
        last[desk] = asked[-1]
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
