"""What several threads ask for at once is done in one run, every one of them once, and in the order in which it came."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.kit.gathering import Gathering

PATIENCE = 20.0


class Runs:
    """Notes each run; the first goes on until `go` is set. What is asked for under "faulty" breaks its run."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, asked: Sequence[str]) -> None:
        self.seen.append(list(asked))
        self.begun.set()
        assert self.go.wait(PATIENCE)
        if "faulty" in asked:
            raise ValueError("faulty")


def asked_behind_the_first(runs: Runs, gathering: Gathering[str], names: Sequence[str]) -> list[str]:
    """Ask for "first", then for the others while its run goes on; returns whose thread met the exception of a run."""
    broken: list[str] = []

    def ask(name: str) -> None:
        try:
            gathering.take_part(name)
        except ValueError:
            broken.append(name)

    with ThreadPoolExecutor(len(names) + 1) as pool:
        pool.submit(ask, "first")
        assert runs.begun.wait(PATIENCE)
        for name in names:
            waiting = len(gathering)
            pool.submit(ask, name)
            while len(gathering) == waiting:
                threading.Event().wait(0.001)
        runs.go.set()
    return broken


def test_what_comes_during_a_run_is_the_next_run() -> None:
    runs = Runs()
    assert asked_behind_the_first(runs, Gathering(runs, 16), ["b", "c", "d"]) == []
    assert runs.seen == [["first"], ["b", "c", "d"]]


def test_a_run_takes_no_more_than_it_may() -> None:
    runs = Runs()
    asked_behind_the_first(runs, Gathering(runs, 2), ["b", "c", "d"])
    assert runs.seen == [["first"], ["b", "c"], ["d"]]


def test_a_run_that_breaks_holds_nobody_up() -> None:
    runs = Runs()
    broken = asked_behind_the_first(runs, Gathering(runs, 16), ["b", "faulty", "d"])
    assert runs.seen == [["first"], ["b", "faulty", "d"]]
    assert len(broken) == 1


def test_one_by_one_each_is_a_run_of_its_own() -> None:
    runs = Runs()
    runs.go.set()
    gathering: Gathering[str] = Gathering(runs, 16)
    for name in ("a", "b"):
        gathering.take_part(name)
    with pytest.raises(ValueError, match="faulty"):
        gathering.take_part("faulty")
    gathering.take_part("c")
    assert runs.seen == [["a"], ["b"], ["faulty"], ["c"]]


def test_who_was_served_leaves_soon_however_many_go_on_asking() -> None:
    """Whose act is done must not have to win anything against those who ask next."""
    runs, of, late = 0, {}, []

    def run(asked: Sequence[tuple[int, int]]) -> None:
        nonlocal runs
        runs += 1
        of.update(dict.fromkeys(asked, runs))
        time.sleep(0.002)

    gathering: Gathering[tuple[int, int]] = Gathering(run, 16)

    def ask_again_and_again(who: int) -> None:
        for number in range(60):
            gathering.take_part((who, number))
            late.append(runs - of[who, number])

    with ThreadPoolExecutor(16) as pool:
        for one in [pool.submit(ask_again_and_again, who) for who in range(16)]:
            one.result()
    assert len(late) == 16 * 60
    assert sum(late) <= len(late), "in the mean no more than one run goes by"
    assert runs < len(late) / 2, "they are done together"
