"""Closing a round on the bench: announced, fenced, settled, compared, sealed; what is awaited, refused and given up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.contracts.snapshot import ClosingAnnounced, RoundSealed
from services.contracts.statements import read_proof, read_seal
from services.export.rules.frames import read_frames
from services.snapshot.app import SERVICE
from tests.support.bench import Bench
from tests.support.snapshot_desk import ONE, THREE, TWO, SnapshotDesk, entry, roll


@pytest.fixture
def desk(bench: Callable[..., Bench]) -> SnapshotDesk:
    made = SnapshotDesk(bench(SERVICE))
    assert made.open().status_code == 201
    return made


def test_a_round_is_closed_counted_and_sealed(desk: SnapshotDesk) -> None:
    one, two = roll(1, 3), roll(10, 2)
    desk.accept(ONE, one)
    desk.accept(TWO, two)
    closure = desk.close([entry(ONE, one), entry(TWO, two, "ready"), entry(THREE, None, "empty")])
    state = desk.closure()
    assert (state["closure"], state["state"], state["awaiting"]) == (closure, "sealed", [])
    assert [step["step"] for step in state["steps"]] == ["closing", "fenced", "settled", "compared", "sealed"]
    seal = read_seal(desk.get("/snapshot").get_json()["seal"], desk.bench.keys.jwks)
    assert (seal.schools, seal.pupils, seal.counted) == (3, 5, 3)
    (announced,), (told,) = desk.bench.published(ClosingAnnounced), desk.bench.published(RoundSealed)
    assert told["revision"] > announced["revision"]
    assert told["root"] == seal.root
    proof, _ = read_proof(desk.get(f"/snapshot/proofs/{ONE}").get_json(), desk.bench.keys.jwks)
    assert proof.leaf.sha256 == one.sha256
    frames = list(read_frames([desk.frames()]))
    assert [(f.school, f.counted, f.pupils) for f in frames] == [
        (ONE, True, 3),
        (TWO, False, 2),
        (THREE, False, 0),
    ]
    assert frames[0].packed == one.packed
