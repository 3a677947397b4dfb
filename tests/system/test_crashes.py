"""kill -9 of the whole system while a round is played: nothing accepted is lost, and nothing happens twice.

The play is the demo's, with three schools, over HTTP with clients that repeat what got no answer. Its own checks hold
everything against the truth: versions, receipts, duplicates, counts, proofs and the package.
"""

from __future__ import annotations

import json
import random
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from deploy.rehearsal.nation import Order, make_nation
from deploy.rehearsal.play import play
from deploy.rehearsal.scenario import Stage, usernames
from deploy.rehearsal.summary import Summary
from deploy.rehearsal.truth import load
from services.kit.clock import set_clock
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


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nation")
    make_nation(Order(seed=7, out=folder, esa="6602", limit=3))
    return folder


def played(system: Supervised, nation: Path) -> Summary:
    truth = load(nation / "truth.json")
    people = usernames(sorted(truth.schools), sorted({s.esa for s in truth.schools.values()}))
    passwords = system.enrol(people, "a-password-for-tests")
    clock = system.folder / "clock.json"
    with httpx.Client(base_url=system.address, timeout=30) as client:
        stage = Stage(client, nation, passwords, lambda at: set_clock(clock, at), lambda _: None)
        return play(stage)


def effects_of(system: Supervised) -> dict[str, Any]:
    """What must be there exactly once, straight from the databases."""
    urls = json.loads((system.folder / "databases.json").read_text())

    def ask(service: str, query: str) -> list[Any]:
        with psycopg.connect(urls[service].replace("+psycopg", "")) as connection:
            return connection.execute(query).fetchall()

    return {
        "acts": Counter(ask("intake", "SELECT school, act FROM act")),
        "versions": Counter(ask("intake", "SELECT school, sha256 FROM version")),
    }


def test_killed_at_every_crash_point_nothing_is_lost_and_nothing_doubled(nation: Path, folder: Path) -> None:
    system = Supervised(folder / "system", CRASH_POINTS)
    system.start()
    try:
        summary = played(system, nation)
        effects = effects_of(system)
    finally:
        system.stop()
    assert summary.faults == []
    assert summary.lost == 0
    assert set(system.crashed_at) == {point.partition(":")[0] for point in CRASH_POINTS}
    assert max(effects["acts"].values()) == 1
    assert max(effects["versions"].values()) == 1


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
        effects = effects_of(system)
    finally:
        done.set()
        system.stop()
    assert summary.faults == []
    assert summary.lost == 0
    assert system.deaths == 4
    assert max(effects["acts"].values()) == 1


def test_the_log_of_a_round_follows_one_id_and_names_nobody(nation: Path, folder: Path) -> None:
    system = Supervised(folder / "system")
    system.start()
    try:
        summary = played(system, nation)
    finally:
        system.stop()
    assert summary.faults == []
    lines = [json.loads(line) for line in system.output.splitlines() if line.startswith("{")]
    followed: dict[str, set[str]] = {}
    for line in lines:
        step = line.get("type") or line["message"]
        followed.setdefault(line["correlation_id"], set()).add(step)
    whole_way = {
        "request answered",
        "upload checked",
        "intake.roster.accepted.v1",
        "intake.roster.identified.v1",
        "dedup.roster.screened.v1",
    }
    assert any(whole_way <= steps for steps in followed.values())
    people = json.loads((nation / "truth.json").read_text())["duplicates"]
    ids = {duplicate["national_id"] for duplicate in people} | set(_ids_in_files(nation))
    assert len(ids) > 100
    assert [number for number in ids if number in system.output] == []
    assert re.findall(r"เด็กชาย|เด็กหญิง|นางสาว", system.output) == []


def _ids_in_files(nation: Path) -> Iterator[str]:
    for file in (nation / "rosters").glob("*.csv"):
        for word in re.findall(rb"[0-9]{13}", file.read_bytes()):
            yield word.decode()
