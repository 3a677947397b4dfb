"""Closing a round on the bench: announced, fenced, settled, compared, sealed; what is awaited, refused and given up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.contracts.dedup import Outcome
from services.contracts.snapshot import ClosingAnnounced, RosterRequested, RoundSealed
from services.contracts.statements import read_proof, read_seal
from services.export.rules.frames import read_frames
from services.snapshot.app import SERVICE
from services.snapshot.jobs.closing import advance_closings
from services.snapshot.tables import document, roster_count
from tests.support.bench import Bench
from tests.support.rosters import ROUND
from tests.support.snapshot_desk import CLOSE_DAY, ONE, THREE, TWO, SnapshotDesk, entry, messages, roll

FIRST, SECOND = roll(1, 3), roll(10, 2)
ENTRIES = [entry(ONE, FIRST), entry(TWO, SECOND, "ready"), entry(THREE, None, "empty")]
LOST = Outcome(school=ONE, sha256=FIRST.sha256, line=2, reason="duplicate-lost", case="c")
STEPS = ["closing", "fenced", "settled", "compared", "sealed"]


@pytest.fixture
def desk(snapshot: SnapshotDesk) -> SnapshotDesk:
    """Two schools' rosters are here."""
    snapshot.accept(ONE, FIRST)
    snapshot.accept(TWO, SECOND)
    return snapshot


def steps_of(desk: SnapshotDesk) -> list[str]:
    return [step["step"] for step in desk.closure()["steps"]]


def seal_in(desk: SnapshotDesk) -> Any:
    return desk.get("/snapshot").get_json()["seal"]


def awaited(desk: SnapshotDesk) -> list[str]:
    return [one["who"] for one in desk.closure()["awaiting"]]


def test_a_round_is_closed_counted_and_sealed(desk: SnapshotDesk) -> None:
    closure = desk.close(ENTRIES)
    state = desk.closure()
    assert (state["closure"], state["state"], state["awaiting"]) == (closure, "sealed", [])
    assert steps_of(desk) == STEPS
    seal = read_seal(seal_in(desk), desk.bench.keys.jwks)
    assert (seal.schools, seal.pupils, seal.counted, seal.closed_at) == (3, 5, 3, CLOSE_DAY)
    (announced,), (told,) = desk.bench.published(ClosingAnnounced), desk.bench.published(RoundSealed)
    assert told["revision"] > announced["revision"]
    assert (told["root"], told["seal"]) == (seal.root, seal_in(desk))
    proof, _ = read_proof(desk.get(f"/snapshot/proofs/{ONE}").get_json(), desk.bench.keys.jwks)
    assert proof.leaf.sha256 == FIRST.sha256
    frames = list(read_frames([desk.frames()]))
    found = [(frame.school, frame.counted, frame.pupils) for frame in frames]
    assert found == [(ONE, True, 3), (TWO, False, 2), (THREE, False, 0)]
    assert [bool(frame.packed) for frame in frames] == [True, False, False]


def test_each_step_waits_for_what_it_needs_and_says_for_whom(desk: SnapshotDesk) -> None:
    closure = desk.announce()
    fenced, *manifest, settled, settled_too = messages(closure, ENTRIES)
    assert awaited(desk) == ["intake"]
    assert not advance_closings(desk.bench.runtime)
    desk.bench.deliver(fenced)
    desk.bench.jobs()
    assert (steps_of(desk), awaited(desk)) == (STEPS[:2], ["intake", "dedup"])
    for part in manifest:
        desk.bench.deliver(part)
    desk.bench.deliver(settled)
    desk.bench.jobs()
    (waiting,) = desk.closure()["awaiting"]
    assert (steps_of(desk), waiting["who"]) == (STEPS[:2], "dedup")
    assert "1/2" in waiting["th"]
    desk.bench.deliver(settled_too)
    desk.bench.jobs()
    assert steps_of(desk) == STEPS


@pytest.mark.parametrize("seed", range(4))
def test_any_order_with_repeats_ends_under_the_same_seal(
    bench: Callable[..., Bench], snapshot: SnapshotDesk, seed: int
) -> None:
    """Also documents that come only after everything else, and steps tried in between."""
    plain = snapshot
    plain.accept(ONE, FIRST)
    plain.accept(TWO, SECOND)
    plain.close(ENTRIES, [LOST])
    other = SnapshotDesk(bench(SERVICE))
    other.open()
    closure = other.announce()
    events = [lambda m=m: other.bench.deliver(m) for m in messages(closure, ENTRIES, [LOST], parts=3)]
    events += [lambda: other.accept(ONE, FIRST), lambda: other.accept(TWO, SECOND)]
    chosen = random.Random(seed)
    shuffled = events + chosen.sample(events, 4)
    chosen.shuffle(shuffled)
    for number, event in enumerate(shuffled):
        event()
        other.bench.set_time(f"2021-11-12T08:{number:02}:00+07:00")
        other.bench.jobs()
    assert seal_in(other) == seal_in(plain)
    assert len(other.bench.published(RoundSealed)) == 1


CRASHES = [f"closing-{when}-{step}" for step in STEPS[1:] for when in ("before", "after")]
PROCESS = """
import sys
from pathlib import Path
from services.kit.runtime import build_runtime
from services.kit.settings import Settings
from services.snapshot.app import SERVICE
from services.snapshot.jobs.closing import advance_closings
from services.snapshot.tables import document, roster_count
url, keys, clock = sys.argv[1:]
runtime = build_runtime(SERVICE, Settings(database_url=url, keys=Path(keys), clock_file=Path(clock)))
while advance_closings(runtime):
    pass
runtime.database.close()
"""


@pytest.mark.crash
def test_killed_before_and_after_every_step_it_ends_under_the_same_seal(
    desk: SnapshotDesk, bench: Callable[..., Bench]
) -> None:
    undisturbed = SnapshotDesk(bench(SERVICE))
    undisturbed.open()
    undisturbed.accept(ONE, FIRST)
    undisturbed.accept(TWO, SECOND)
    undisturbed.close(ENTRIES, [LOST])
    for message in messages(desk.announce(), ENTRIES, [LOST]):
        desk.bench.deliver(message)
    settings = desk.bench.runtime.settings
    run = [sys.executable, "-c", PROCESS, settings.database_url, str(settings.keys), str(settings.clock_file)]
    for number, point in enumerate(CRASHES):
        desk.bench.set_time(f"2021-11-12T09:{number:02}:00+07:00")
        environment = {**os.environ, "TABIAN_CRASH_AT": point, "PYTHONPATH": str(Path(__file__).parents[2])}
        died = subprocess.run(run, env=environment, check=False, capture_output=True, timeout=60)
        assert died.returncode == -signal.SIGKILL, (point, died.stderr.decode())
    assert steps_of(desk) == STEPS
    assert seal_in(desk) == seal_in(undisturbed)
    assert len(desk.bench.published(RoundSealed)) == 1


def test_several_processes_at_once_seal_once(desk: SnapshotDesk) -> None:
    for message in messages(desk.announce(), ENTRIES):
        desk.bench.deliver(message)
    threads = [
        threading.Thread(target=lambda: [advance_closings(desk.bench.runtime) for _ in range(12)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.bench.jobs()
    assert steps_of(desk) == STEPS
    assert len(desk.bench.published(RoundSealed)) == 1


def test_a_missing_document_is_asked_for_now_and_then_until_it_comes(snapshot: SnapshotDesk) -> None:
    snapshot.accept(TWO, SECOND)
    snapshot.close(ENTRIES)
    asked = {"round": ROUND, "closure": snapshot.closure()["closure"], "schools": [ONE]}
    assert snapshot.bench.published(RosterRequested) == [asked]
    (waiting,) = snapshot.closure()["awaiting"]
    assert (waiting["who"], ONE in waiting["th"]) == ("intake", True)
    snapshot.bench.jobs()
    assert len(snapshot.bench.published(RosterRequested)) == 1
    with snapshot.bench.database.transaction() as tx:
        tx.execute(sa.text("UPDATE closure SET asked_at = asked_at - interval '31 s'"))
    snapshot.bench.jobs()
    assert len(snapshot.bench.published(RosterRequested)) == 2
    snapshot.accept(ONE, FIRST)
    snapshot.bench.jobs()
    assert steps_of(snapshot) == STEPS


def test_a_document_kept_by_an_earlier_version_gets_its_extract(desk: SnapshotDesk) -> None:
    of_first = document.c.sha256 == FIRST.sha256
    with desk.bench.database.transaction() as tx:
        before = tx.execute(sa.select(document).where(of_first)).one()
        tx.execute(sa.update(document).where(of_first).values(extract=None, extract_sha256=None))
    desk.close(ENTRIES)
    (asked,) = desk.bench.published(RosterRequested)
    assert (asked["schools"], steps_of(desk)) == ([ONE], STEPS[:3])
    desk.accept(ONE, FIRST)
    desk.bench.jobs()
    assert steps_of(desk) == STEPS
    with desk.bench.database.transaction() as tx:
        assert tx.execute(sa.select(document).where(of_first)).one() == before


def test_a_document_counted_by_an_earlier_version_is_counted_again(desk: SnapshotDesk) -> None:
    """Earlier versions kept the sums and not the lines, here even of other pupils."""
    of_first = roster_count.c.sha256 == FIRST.sha256
    earlier = {"line_cells": None, "line_recounted": None, "cells": [["ม.1", "ญ", "", 3]]}
    with desk.bench.database.transaction() as tx:
        tx.execute(sa.update(roster_count).where(of_first).values(**earlier))
    desk.close(ENTRIES, [LOST])
    (asked,) = desk.bench.published(RosterRequested)
    assert (asked["schools"], steps_of(desk)) == ([ONE], STEPS[:3])
    desk.accept(ONE, FIRST)
    desk.bench.jobs()
    assert steps_of(desk) == STEPS
    with desk.bench.database.transaction() as tx:
        row = tx.execute(sa.select(roster_count).where(of_first)).one()
    boy, girls = ["ป.1", "ช", "", 1], ["ป.1", "ญ", "", 2]
    assert (row.cells, bytes(row.line_cells)) == ([boy, girls], b"\x01\x00\x01")
    assert (row.recounted, bytes(row.line_recounted)) == ([girls, boy], b"\x00\x01\x00")
