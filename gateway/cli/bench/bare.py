"""The bare act in the place of intake's api processes: the same edge, the same containers, the same search for the knee, so that
all that differs is what runs behind the edge.

Not here: what the bare act does (deploy/rehearsal/bench/bare_act).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import deploy.rehearsal.bench.bare_act
from deploy.rehearsal.bench.bare_act.table import DATABASE, compare, make
from deploy.rehearsal.bench.database import own_database
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.scenario import ROUND, wait_for
from gateway.cli.bench.acts import search
from gateway.cli.yard import Yard, superuser
from gateway.stack.compose import Stack
from gateway.stack.rolling import active

OVER = Path(deploy.rehearsal.bench.bare_act.__file__).with_name("compose.yml")
POOL = "intake-api"
SEEN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class BareAct:
    """Acts a second, each step of the search, and milliseconds of CPU an act, as Tabian's are told (`search`)."""

    knee_per_s: float
    steps: list[dict[str, Any]]
    cpu_ms_per_act: dict[str, float]


def bare_act(yard: Yard) -> BareAct:
    """Measure with the acts that Tabian's knee was measured with, when Tabian has nothing left to do; afterwards intake is
    back. Raises RuntimeError where the table says something else than was answered."""
    versions = _confirmed(yard)
    journal = yard.stack.folder / "bare-act.jsonl"
    journal.unlink(missing_ok=True)
    with own_database(superuser(yard.stack), DATABASE) as url:
        make(url, ROUND, versions)
        with _instead_of_intake(yard.stack), Journal(journal) as notes:
            knee, spent = search(replace(yard, journal=notes), versions)
        compare(url, journal)
    yard.say(f"  bare acts are in time up to {knee.per_s} a second")
    return BareAct(knee.per_s, knee.steps, spent)


def _confirmed(yard: Yard) -> dict[str, str]:
    """School → sha256 of the version that was confirmed last."""
    acts = f"FROM act WHERE round = '{ROUND}' AND act = 'confirm'"
    last = f"SELECT DISTINCT ON (school) school, sha256 {acts} ORDER BY school, revision DESC"
    return {school: sha256 for school, sha256 in yard.databases.ask("intake", last)}


@contextmanager
def _instead_of_intake(stack: Stack) -> Iterator[None]:
    """As many processes as intake has; the edge sends to them, and in the end to intake again."""
    number = len(stack.running(POOL))
    try:
        _put(replace(stack, over=(*stack.over, OVER)), number)
        yield
    finally:
        _put(stack, number)


def _put(stack: Stack, number: int) -> None:
    """Behind the edge stands what this stack's files say, and nobody who stood there before."""
    stack.compose("stop", POOL)
    wait_for(lambda: active(stack)[POOL] == 0, "the edge seeing who is gone", SEEN_SECONDS)
    stack.compose("up", "--detach", "--no-deps", "--scale", f"{POOL}={number}", POOL)
    stack.wait()
    wait_for(lambda: active(stack)[POOL] == number, "the edge seeing who is there", SEEN_SECONDS)
