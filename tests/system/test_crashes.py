"""kill -9 of the whole system while a round is played: nothing accepted is lost, and nothing happens twice.

The play is the demo's, with three schools, over HTTP with clients that repeat what got no answer. Its own checks hold
everything against the truth: versions, receipts, duplicates, counts, proofs and the package.
"""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rounds import played, verdict_of
from tests.support.supervised import Supervised

pytestmark = [pytest.mark.crash, pytest.mark.timeout(280)]

CRASH_POINTS = (
    "relay-before-publish:3",
    "relay-before-mark:4",
    "relay-after-mark:5",
    "worker-before-commit:6",
    "worker-after-commit:7",
    "worker-after-ack:8",
    "checker-after-claim",
    "checker-before-commit",
    "checker-after-commit",
    "intake-after-fence",
    "dedup-after-settle",
    "closing-after-fenced",
    "closing-before-sealed",
    "export-before-commit",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    # not below pytest's own root, which another pytest may close to the user PostgreSQL runs as
    with tempfile.TemporaryDirectory(prefix="tabian-crash-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def test_killed_at_every_crash_point_nothing_is_lost_and_nothing_doubled(nation: Path, folder: Path) -> None:
    system = Supervised(folder / "system", CRASH_POINTS)
    system.start()
    try:
        summary = played(system, nation)
        verdict = verdict_of(system)
    finally:
        system.stop()
    assert summary.faults == []
    assert summary.lost == 0
    assert set(system.crashed_at) == {point.partition(":")[0] for point in CRASH_POINTS}
    assert (verdict.lost, verdict.doubled, verdict.unexpected) == ([], [], [])
    assert verdict.accepted >= 15


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_with_and_without_its_postgresql(
    nation: Path, folder: Path, seed: int
) -> None:
    moments = random.Random(seed)
    system = Supervised(folder / "system")
    system.start()
    done = threading.Event()

    def murder() -> None:
        for number in range(4):
            if done.wait(moments.uniform(0.2, 1.0)):
                return
            system.kill(postgres=number == 1)
            system.wait()

    killer = threading.Thread(target=murder)
    try:
        killer.start()
        summary = played(system, nation)
        done.set()
        killer.join()
        verdict = verdict_of(system)
    finally:
        done.set()
        system.stop()
    assert summary.faults == []
    assert summary.lost == 0
    assert system.deaths == 4
    assert (verdict.lost, verdict.doubled, verdict.unexpected) == ([], [], [])
