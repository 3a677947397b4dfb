"""The stream of extracts, however it is cut, broken or wrong; fetching it; and what is weighed against the seal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.export.extracts import Unavailable, fetch
from services.export.rules.faults import PackageFault
from services.export.rules.frames import Interrupted, read_frames
from services.export.rules.sealed import Audit, genuine_seal
from services.kit.keys import Keys, make_keys
from tests.support.sealed_round import ROUND, SealedRound, SealedSchool, pupil

GOOD: dict[str, Any] = {
    "school": "1066020001",
    "esa": "6602",
    "state": "certified",
    "sha256": "a" * 64,
    "pupils": 2,
    "counted": True,
    "not_counted": [{"line": 2, "reason": "under-age"}],
    "bytes": 3,
}


def line(**more: Any) -> bytes:
    return json.dumps(GOOD | more).encode() + b"\n"


@given(st.lists(st.integers(1, 40), min_size=1))
def test_frames_come_whole_however_the_stream_is_cut(cuts: list[int]) -> None:
    data = (
        line() + b"\n{\n" + line(school="2", sha256=None, bytes=0, pupils=0, not_counted=[]) + line() + b"xyz"
    )

    def chunks() -> Iterator[bytes]:
        start, turn = 0, 0
        while start < len(data):
            end = start + cuts[turn % len(cuts)]
            yield data[start:end]
            start, turn = end, turn + 1

    frames = list(read_frames(chunks()))
    assert [(one.school, one.packed) for one in frames] == [
        ("1066020001", b"\n{\n"),
        ("2", b""),
        ("1066020001", b"xyz"),
    ]
    assert frames[0].not_counted == {2: "under-age"}


@pytest.mark.parametrize("data", [b"{", line()[:-1], line(), line() + b"ab"])
def test_an_end_inside_a_frame_is_an_interruption(data: bytes) -> None:
    with pytest.raises(Interrupted):
        list(read_frames([data]))


@pytest.mark.parametrize(
    "wrong",
    [
        b"nonsense\n",
        b"[]\n",
        b"\xff\n",
        b"[" * 100000 + b"\n",
        line(school=1),
        line(pupils=True),
        line(pupils=-1),
        line(counted="yes"),
        line(counted=1),
        line(sha256="A" * 64),
        line(sha256=None),
        line(bytes=0),
        line(counted=False),
        line(bytes=-3),
        line(bytes=10**12),
        line(not_counted=[{"line": 3, "reason": "under-age"}]),
        line(not_counted=[{"line": 0, "reason": "under-age"}]),
        line(not_counted=[{"line": 1, "reason": "bored"}]),
        line(not_counted=[{"line": 1, "reason": "under-age"}] * 2),
        line(not_counted=[7]),
        line(not_counted=None),
        b"x" * (3 * 1024 * 1024),
    ],
)
def test_a_stream_that_is_wrong_is_told_without_a_value(wrong: bytes) -> None:
    with pytest.raises(PackageFault) as told:
        list(read_frames([wrong, b"abc"]))
    assert told.value.code == "stream-malformed"
    assert "1066020001" not in told.value.en


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder: Path = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return Keys(folder)


def three(keys: Keys) -> SealedRound:
    rosters = {
        "1066020001": [pupil(1), pupil(2)],
        "1066020002": [pupil(n) for n in range(10, 60)],
        "1066020003": None,
    }
    return SealedRound(keys, [SealedSchool(code=code, roster=roster) for code, roster in rosters.items()])


def fetched(there: SealedRound, waits: list[float] | None = None) -> list[str]:
    token = there.keys.service_token("export")
    wait = (waits if waits is not None else []).append
    return [one.school for one in fetch(there.client(), token, ROUND, wait=wait)]


def test_a_broken_answer_is_resumed_after_the_last_whole_frame(signed: Keys) -> None:
    there, waits = three(signed), []
    there.break_after = [len(there.schools[0].frame()) + 40, 5, 7]
    assert fetched(there, waits) == ["1066020001", "1066020002", "1066020003"]
    assert there.asked == ["", "1066020001", "1066020001", "1066020001", "1066020003"]
    assert waits == [0.5, 1.0, 1.5]


def test_a_server_may_give_few_at_a_time(signed: Keys) -> None:
    there = three(signed)
    there.per_answer = 1
    assert fetched(there) == ["1066020001", "1066020002", "1066020003"]
    assert there.asked == ["", "1066020001", "1066020002", "1066020003"]


def test_an_answer_that_only_breaks_or_refuses_is_unavailable(signed: Keys) -> None:
    there = three(signed)
    there.break_after = [3] * 9
    with pytest.raises(Unavailable):
        fetched(there)
    assert len(there.asked) == 4
    there.status = 409
    with pytest.raises(Unavailable) as refused:
        fetched(there)
    assert refused.value.status == 409


def audited(there: SealedRound, seal: dict[str, Any] | None = None) -> Audit:
    audit = Audit(genuine_seal(seal or there.seal(), there.keys.jwks, ROUND))
    for frame in read_frames(one.frame() for one in there.schools):
        audit.admit(frame)
    audit.close()
    return audit


def test_what_was_sealed_is_admitted(signed: Keys) -> None:
    audit = audited(three(signed))
    assert (audit.pupils, audit.counted, audit.last) == (52, 52, "1066020003")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"root": "0" * 64}, "root-differs"),
        ({"schools": 4}, "root-differs"),
        ({"counted": 51}, "counts-differ"),
        ({"pupils": 53}, "counts-differ"),
        ({"round": "2564-1"}, "seal-not-genuine"),
        ({"extracts": "0" * 64}, "extract-damaged"),
        ({"extracts": ""}, "seal-without-extracts"),
    ],
)
def test_what_is_not_the_seal_s_is_refused(signed: Keys, wrong: dict[str, Any], code: str) -> None:
    there = three(signed)
    with pytest.raises(PackageFault) as told:
        audited(there, there.seal(**wrong))
    assert told.value.code == code


def test_a_seal_that_was_changed_or_signed_by_the_receipt_key_is_refused(signed: Keys) -> None:
    there = three(signed)
    changed = there.seal()
    changed["payload"]["counted"] = 1
    with pytest.raises(PackageFault) as told:
        audited(there, changed)
    assert told.value.code == "seal-not-genuine"


@pytest.mark.parametrize(
    "spoil",
    [lambda one: one.replace(b"100", b"101", 1), lambda one: one + b"x", lambda one: one[:-1]],
    ids=["changed", "longer", "cut"],
)
def test_an_extract_that_is_not_the_sealed_one_is_refused(signed: Keys, spoil: Any) -> None:
    there = three(signed)
    seal = there.seal()
    there.schools[0].extract = spoil(there.schools[0].extract)
    with pytest.raises(PackageFault) as told:
        audited(there, seal)
    assert told.value.code == "extract-damaged"


def test_extracts_that_changed_places_are_refused(signed: Keys) -> None:
    """The bytes are all there, and the schools are those of the seal."""
    there = three(signed)
    seal = there.seal()
    one, two, _ = there.schools
    one.extract, two.extract = two.extract, one.extract
    with pytest.raises(PackageFault) as told:
        audited(there, seal)
    assert told.value.code == "extract-damaged"


def test_pupils_without_a_roster_are_refused(signed: Keys) -> None:
    seal = three(signed).seal()
    audit = Audit(genuine_seal(seal, signed.jwks, ROUND))
    (frame,) = read_frames([line(sha256=None, bytes=0, not_counted=[])])
    with pytest.raises(PackageFault) as told:
        audit.admit(frame)
    assert told.value.code == "extract-damaged"


def test_schools_out_of_order_are_refused(signed: Keys) -> None:
    there = three(signed)
    there.schools.reverse()
    with pytest.raises(PackageFault) as told:
        audited(there)
    assert told.value.code == "stream-malformed"
