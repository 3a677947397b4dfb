"""Acts while somebody floods the system: with everything at once, and with signing in.

Not here: what is flooded with (`deploy.rehearsal.load.flood`), and who is turned away (`gateway.edge`).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

from deploy.rehearsal.load.caller import Answer, Call
from deploy.rehearsal.load.figures import outcome, percentile
from deploy.rehearsal.load.flood import Flood, Flooded, flood_calls, sign_in_calls, static
from deploy.rehearsal.load.knee import LEAST_PER_S, Knee, knee_beside
from deploy.rehearsal.load.overload import Recorded, recorded
from deploy.rehearsal.load.schedule import FLOOD
from gateway.cli.bench.usage import spent_since
from gateway.cli.stack import enrol
from gateway.cli.yard import Yard
from gateway.edge.pools import POOLS
from gateway.stack.compose import cpu_seconds

LINES: Final = 800
_BEFORE_SECONDS: Final = 2.0
"""A flood begins so long before the acts: its lines are open by then."""
SIGN_INS: Final = 10.0
"""So many times as many sign in as can be served."""
_STEPS: Final = 8
"""An overload lasts so many steps: in fewer, what waits when it ends would be most of what came."""
_SIGNING_IN: Final = 20
"""Schools whose people sign in."""
_CROWD: Final = 100.0


def measure_overload(yard: Yard, versions: Mapping[str, str], start: float) -> dict[str, Any]:
    """Acts at the knee while four times as many requests flood the system. `start`: acts a second to begin with in the search
    for the knee, which is that beside the same flood against what the edge refuses by itself. Raises ValueError where wrk does
    not end well. A school acts when its act before was answered: fewer schools than acts wait at once come too late of
    themselves (`sent_late_p99_s`)."""
    asked = flood_calls(list(versions), yard.passes)
    knee = asyncio.run(_knee_beside_nothing(yard, versions, start, static(asked)))
    rate = knee.per_s or LEAST_PER_S
    got, flooded = _flooded(yard, versions, rate, _STEPS * yard.step_seconds, asked, FLOOD * rate)
    yard.settle()
    yard.say(
        f"  overload: {rate} acts a second and {flooded.per_s} others: {got.goodput:.1%} in the window, "
        f"longest without an answer {got.silent:.1f} s, {got.unserved} not served"
    )
    return {
        "overload_goodput_ratio": round(got.goodput, 4),
        "overload_wait_max_s": round(got.silent, 3),
        "overload_unserved": got.unserved,
        "overload": {
            "schools": len(versions),
            "acts_rate": rate,
            "knee_per_s": knee.per_s,
            "knee_steps": knee.steps,
            "acts": _waited(got.acts),
            "pages": outcome(got.pages),
            "flood": asdict(flooded),
        },
    }


async def _knee_beside_nothing(
    yard: Yard, versions: Mapping[str, str], start: float, asked: list[Call]
) -> Knee:
    @contextmanager
    def beside(rate: float) -> Iterator[None]:
        with _flood(yard, asked, FLOOD * rate, yard.step_seconds) as flood:
            yield
        flood.result()

    async with yard.caller(lines=LINES) as caller:
        return await knee_beside(caller, versions, yard.passes, start, beside, seconds=yard.step_seconds)


def measure_signin_flood(yard: Yard, versions: Mapping[str, str], rate: float) -> dict[str, Any]:
    """Acts at the rate while ten times as many people sign in and step up as can be served; and alone, half of them before
    and half afterwards."""
    rate = max(rate, LEAST_PER_S)
    told = enrol(yard.stack, yard.nation, secrets.token_urlsafe(12), schools=_SIGNING_IN)
    asked = sign_in_calls(told)
    serves = _served(_flood_alone(yard, asked))
    alone = asyncio.run(_acts(yard, versions, rate, yard.step_seconds / 2)).acts
    before = cpu_seconds(yard.stack.running())
    held = next(pool.queue for pool in POOLS if pool.name == "portal-sign-in")
    got, flooded = _flooded(yard, versions, rate, yard.step_seconds, asked, SIGN_INS * serves, held=held)
    spent = spent_since(before, yard.stack)
    yard.settle()
    alone += asyncio.run(_acts(yard, versions, rate, yard.step_seconds / 2)).acts
    yard.settle()
    acts = {"alone": _waited(alone), "flooded": _waited(got.acts)}
    ratio = acts["flooded"]["p99_s"] / acts["alone"]["p99_s"]
    yard.say(
        f"  sign-ins: {serves} a second can be served; {SIGN_INS:.0f} times as many make acts' p99 {ratio:.2f} times as long"
    )
    return {
        "signin_flood_p99_ratio": round(ratio, 2),
        "signins_served_per_s": _served(flooded),
        "signin_cpu_seconds": spent.get("portal-sign-in", 0.0),
        "signin_flood": {
            "acts_rate": rate,
            "served_alone_per_s": serves,
            **acts,
            "unserved": got.unserved,
            "flood": asdict(flooded),
            "cpu_seconds": spent,
        },
    }


def _waited(acts: Sequence[Answer]) -> dict[str, Any]:
    """What became of acts. `sent_late_p99_s`: how much later than due they were sent, because the school's act before was not
    yet answered (too few schools for the rate) or because the sender had no time."""
    return {**outcome(acts), "sent_late_p99_s": percentile([act.sent - act.due for act in acts], 99)}


def _flood_alone(yard: Yard, asked: list[Call]) -> Flooded:
    """More people at once than are ever served, so that the pool is never idle, and fewer than would be turned away."""
    with Flood(yard.stack.address, asked, _CROWD, yard.step_seconds / 2, yard.stack.folder) as flood:
        return flood.result()


def _served(flooded: Flooded) -> float:
    """Sign-ins a second that were answered yes or no: a password was looked at."""
    looked = sum(flooded.statuses.get(status, 0) for status in ("200", "401"))
    return round(flooded.per_s * looked / max(1, flooded.requests), 1)


@contextmanager
def _flood(yard: Yard, asked: list[Call], rate: float, seconds: float, *, held: int = 0) -> Iterator[Flood]:
    """A flood that lasts from a while before the block until just after its so many seconds."""
    lasts = _BEFORE_SECONDS + seconds + 1
    with Flood(yard.stack.address, asked, rate, lasts, yard.stack.folder, held=held) as flood:
        time.sleep(_BEFORE_SECONDS)
        yield flood


def _flooded(
    yard: Yard,
    versions: Mapping[str, str],
    acts: float,
    seconds: float,
    asked: list[Call],
    rate: float,
    *,
    held: int = 0,
) -> tuple[Recorded, Flooded]:
    """What became of acts at one rate and a flood at another."""
    with _flood(yard, asked, rate, seconds, held=held) as flood:
        got = asyncio.run(_acts(yard, versions, acts, seconds))
        return got, flood.result()


async def _acts(yard: Yard, versions: Mapping[str, str], rate: float, seconds: float) -> Recorded:
    async with yard.caller(lines=LINES) as caller:
        return await recorded(caller, versions, yard.passes, rate, seconds)
