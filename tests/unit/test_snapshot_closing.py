"""Closing step by step: nothing before its time, nothing twice, nothing after the seal, and who is awaited."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.calendar import BANGKOK, Extension, RoundPlan, load
from services.contracts.dedup import Outcome
from services.contracts.intake import ManifestEntry, RoundFenced
from services.contracts.manifest import manifest_digest
from services.contracts.merkle import root
from services.contracts.roster.canonical import FORMAT_VERSION
from services.contracts.statements import leaves_of, root_of
from services.snapshot.rules.awaiting import Progress, awaited
from services.snapshot.rules.closing import (
    Closing,
    NotNow,
    SettledPart,
    abort,
    announce,
    compare,
    disagreeing,
    fence,
    seal,
    seal_of,
    settle,
)
from services.snapshot.rules.comparison import Comparison, Heard, compare_documents
from services.snapshot.rules.counts import Summary

PLANS = {p.name: p for p in load(Path(__file__).parents[2] / "deploy" / "calendars" / "2564.toml")}
PLAN = PLANS["2564-2"]
DAY = datetime(2021, 11, 11, 17, 0, tzinfo=BANGKOK)


def entry(school: str, pupils: int, sha256: str | None = "aa", state: str = "certified") -> ManifestEntry:
    return ManifestEntry(school=school, esa="6602", revision=1, state=state, sha256=sha256, pupils=pupils)


MANIFEST = [entry("1", 3, "aa"), entry("2", 0, None, "empty"), entry("3", 2, "bb", "draft")]
DIGEST = manifest_digest(MANIFEST)
HELD = {"aa": 3, "bb": 2}
FENCED = RoundFenced(round="2564-2", closure="c1", parts=2, schools=3, manifest_sha256=DIGEST)
PARTS = [SettledPart(0, 2, DIGEST), SettledPart(1, 2, DIGEST)]
COUNTS = {
    "1": Summary.of({("ป.1", "ช", ""): 2, ("ป.1", "ญ", "under-age"): 1}),
    "3": Summary.of({("ป.1", "ช", "not-certified"): 2}),
}

CLOSING = announce(None, PLAN, "c1", DAY)
STEPS: list[tuple[str, Callable[[Closing], Closing]]] = [
    ("fenced", lambda c: fence(c, FENCED)),
    ("settled", lambda c: settle(c, "c1", MANIFEST, PARTS)),
    ("compared", lambda c: compare(c, "c1", compare_documents(MANIFEST, HELD))),
    ("sealed", lambda c: seal(c, "c1", disagreeing(MANIFEST, COUNTS, dict(COUNTS)))),
]


def reached(phase: str) -> Closing:
    closing = CLOSING
    for name, step in STEPS:
        if closing.phase == phase:
            break
        closing = step(closing)
        assert closing.phase == name
    return closing


PHASES = ["closing", "fenced", "settled", "compared", "sealed"]


def refused(code: str, step: Callable[[], Any]) -> NotNow:
    with pytest.raises(NotNow) as caught:
        step()
    assert caught.value.code == code
    assert caught.value.status == 409
    assert caught.value.th
    assert caught.value.en
    return caught.value


def test_the_whole_way() -> None:
    assert [reached(phase).phase for phase in PHASES] == PHASES
    assert reached("sealed").manifest_sha256 == DIGEST


@pytest.mark.parametrize(("phase", "step"), list(itertools.product(PHASES, range(4))))
def test_a_step_is_taken_in_its_place_repeated_without_effect_and_refused_too_early(
    phase: str, step: int
) -> None:
    closing, at = reached(phase), PHASES.index(phase)
    if at >= step + 1:
        assert STEPS[step][1](closing) == closing
    elif at == step:
        assert STEPS[step][1](closing).phase == PHASES[step + 1]
    else:
        refused(f"not-{PHASES[step]}", lambda: STEPS[step][1](closing))


@pytest.mark.parametrize("phase", PHASES[:-1])
def test_an_attempt_can_be_given_up_until_the_seal_and_then_nothing_of_it_counts(phase: str) -> None:
    given_up = abort(reached(phase))
    assert abort(given_up) == given_up
    for _, step in STEPS:
        refused("aborted", lambda step=step: step(given_up))
    again = announce(given_up, PLAN, "c2", DAY)
    assert (again.phase, again.manifest_sha256, again.parts) == ("closing", "", 0)
    for _, step in STEPS:
        refused("other-closure", lambda step=step: step(again))
    refused("closing-under-way", lambda: announce(given_up, PLAN, "c1", DAY))


def test_a_sealed_round_stays_sealed() -> None:
    refused("round-sealed", lambda: abort(reached("sealed")))
    refused("round-sealed", lambda: announce(reached("sealed"), PLAN, "c2", DAY))
    refused("round-sealed", lambda: announce(reached("sealed"), PLAN, "c1", DAY))


@pytest.mark.parametrize("phase", PHASES[:-1])
def test_one_attempt_at_a_time(phase: str) -> None:
    assert announce(reached(phase), PLAN, "c1", DAY) == reached(phase)
    refused("closing-under-way", lambda: announce(reached(phase), PLAN, "c2", DAY))


def test_not_before_the_day_of_closing() -> None:
    early = datetime(2021, 11, 10, 23, 59, 59, tzinfo=BANGKOK)
    problem = refused("too-early", lambda: announce(None, PLAN, "c1", early))
    assert "11 พ.ย. 2564 เวลา 00.00 น." in problem.th
    assert problem.more["earliest"] == "2021-11-11T00:00:00+07:00"
    assert announce(None, PLAN, "c1", datetime(2021, 11, 11, tzinfo=BANGKOK)).phase == "closing"
    assert announce(None, PLAN, "c1", datetime(2022, 1, 1, tzinfo=BANGKOK)).phase == "closing"


@pytest.mark.parametrize("activity", ["confirm", "certify"])
def test_not_while_a_school_has_longer_or_could_show_a_ticket(activity: str) -> None:
    longer = Extension(activity, "1", datetime(2021, 11, 12, 16, 30, tzinfo=BANGKOK))
    put_right = Extension(activity, "1", datetime(2021, 11, 10, 17, 0, tzinfo=BANGKOK))
    refused("too-early", lambda: announce(None, PLAN, "c1", DAY, (longer,)))
    late = datetime(2021, 11, 12, 16, 39, 59, tzinfo=BANGKOK)
    refused("too-early", lambda: announce(None, PLAN, "c1", late, (longer,)))
    assert (
        announce(None, PLAN, "c1", datetime(2021, 11, 12, 16, 40, tzinfo=BANGKOK), (longer,)).phase
        == "closing"
    )
    assert announce(None, PLAN, "c1", DAY, (longer, put_right)).phase == "closing"


def test_an_extension_of_updating_alone_does_not_hold_up_closing() -> None:
    longer = Extension("update", "1", datetime(2021, 12, 1, tzinfo=BANGKOK))
    assert announce(None, PLAN, "c1", DAY, (longer,)).phase == "closing"


def test_a_calendar_that_closes_on_the_count_day_itself_waits_for_the_last_ticket() -> None:
    rows = tuple(
        replace(a, starts=date(2021, 11, 10), ends=date(2021, 11, 10)) if a.key == "close" else a
        for a in PLAN.activities
    )
    plan = replace(PLAN, activities=rows)
    refused("too-early", lambda: announce(None, plan, "c1", datetime(2021, 11, 10, 16, 35, tzinfo=BANGKOK)))
    assert announce(None, plan, "c1", datetime(2021, 11, 10, 16, 40, tzinfo=BANGKOK)).phase == "closing"


def test_the_buildings_round_is_not_closed() -> None:
    refused("nothing-to-close", lambda: announce(None, PLANS["bobec-2564"], "c1", DAY))


@pytest.mark.parametrize("phase", PHASES[1:])
@pytest.mark.parametrize("change", [{"manifest_sha256": "00"}, {"parts": 3}, {"schools": 4}])
def test_a_second_fence_that_says_otherwise_is_a_contradiction(phase: str, change: dict[str, Any]) -> None:
    refused("contradiction", lambda: fence(reached(phase), replace(FENCED, **change)))


def test_settling_needs_the_whole_manifest() -> None:
    fenced = reached("fenced")
    changed = [entry("1", 4), *MANIFEST[1:]]
    for manifest in ([], MANIFEST[:-1], [*MANIFEST, entry("4", 1)], changed):
        refused("manifest-incomplete", lambda manifest=manifest: settle(fenced, "c1", manifest, PARTS))
    assert settle(fenced, "c1", MANIFEST[::-1], PARTS[::-1]).phase == "settled"


def test_settling_needs_every_outcome_for_this_very_manifest() -> None:
    fenced = reached("fenced")
    for parts in ([], PARTS[:1], PARTS[1:], [PARTS[0], PARTS[0]]):
        refused("outcomes-incomplete", lambda parts=parts: settle(fenced, "c1", MANIFEST, parts))
    other = [PARTS[0], SettledPart(1, 2, "00")]
    refused("contradiction", lambda: settle(fenced, "c1", MANIFEST, other))
    assert settle(fenced, "c1", MANIFEST, [*PARTS, PARTS[0]]).phase == "settled"


def test_a_school_twice_in_the_manifest_is_a_contradiction() -> None:
    twice = [MANIFEST[0], MANIFEST[0]]
    closing = fence(CLOSING, replace(FENCED, schools=2, manifest_sha256=manifest_digest(twice)))
    parts = [SettledPart(0, 1, manifest_digest(twice))]
    refused("contradiction", lambda: settle(closing, "c1", twice, parts))


def test_documents_that_are_missing_are_named() -> None:
    found = compare_documents(MANIFEST, {"aa": 3})
    assert found == Comparison(missing=("3",))
    problem = refused("documents-missing", lambda: compare(reached("settled"), "c1", found))
    assert problem.more["schools"] == ["3"]


def test_counts_that_disagree_are_named() -> None:
    found = compare_documents([*MANIFEST, entry("4", 1, None, "empty")], {"aa": 4, "bb": 2})
    assert found == Comparison(disagreeing=("1", "4"))
    problem = refused("counts-disagree", lambda: compare(reached("settled"), "c1", found))
    assert problem.more["schools"] == ["1", "4"]


def outcome(school: str, line: int, sha256: str = "aa") -> Outcome:
    return Outcome(school=school, sha256=sha256, line=line, reason="duplicate-lost", case="k")


@pytest.mark.parametrize(
    "wrong", [outcome("1", 0), outcome("1", 4), outcome("1", 1, "bb"), outcome("2", 1), outcome("9", 1)]
)
def test_an_outcome_of_another_version_or_line_is_astray(wrong: Outcome) -> None:
    found = compare_documents(MANIFEST, HELD, [outcome("1", 1), outcome("3", 2, "bb"), wrong])
    assert found == Comparison(astray=(wrong.school,))
    refused("counts-disagree", lambda: compare(reached("settled"), "c1", found))


@pytest.mark.parametrize(
    ("heard", "behind"),
    [
        (Heard(1, "acknowledged", "aa"), False),
        (Heard(2, "certified", "aa"), False),
        (Heard(2, "acknowledged", "aa"), True),
        (Heard(2, "certified", "cc"), True),
        (Heard(2, "draft", "aa"), True),
    ],
)
def test_a_manifest_that_lacks_what_was_told_before_is_not_counted(heard: Heard, behind: bool) -> None:
    found = compare_documents(MANIFEST, HELD, heard={"1": heard})
    assert found == Comparison(behind=("1",) if behind else ())
    assert found.equal is not behind


def test_a_case_that_opens_after_the_fence_loses_nothing() -> None:
    assert compare_documents(MANIFEST, HELD, heard={"3": Heard(9, "ready", "bb")}).equal
    assert compare_documents(MANIFEST, HELD, heard={"3": Heard(9, "confirmed", "bb")}).behind == ("3",)
    assert compare_documents(MANIFEST, HELD, heard={"7": Heard(1, "draft", "dd")}).behind == ("7",)


def test_schools_with_equal_documents_share_one() -> None:
    """Every school without pupils has the same document: the header alone."""
    manifest = [entry("1", 0, "ee"), entry("2", 0, "ee", "confirmed")]
    assert compare_documents(manifest, {"ee": 0}).equal


@pytest.mark.parametrize(
    ("second", "schools"),
    [
        ({**COUNTS, "1": Summary.of({("ป.1", "ช", ""): 3})}, ["1"]),
        ({"1": COUNTS["1"]}, ["3"]),
        ({**COUNTS, "9": Summary()}, ["9"]),
        ({**COUNTS, "2": Summary.of({("ป.1", "ช", ""): 1})}, ["2"]),
    ],
)
def test_two_ways_that_disagree_are_not_sealed(second: dict[str, Summary], schools: list[str]) -> None:
    wrong = disagreeing(MANIFEST, COUNTS, second)
    problem = refused("counts-disagree", lambda: seal(reached("compared"), "c1", wrong))
    assert problem.more["schools"] == schools


def test_two_ways_that_agree_on_other_numbers_than_the_manifest_are_not_sealed() -> None:
    less = {**COUNTS, "1": Summary.of({("ป.1", "ช", ""): 2})}
    assert disagreeing(MANIFEST, less, less) == ["1"]
    assert disagreeing(MANIFEST, COUNTS, COUNTS) == []


@settings(max_examples=40)
@given(st.permutations(MANIFEST))
def test_the_root_depends_on_nothing_but_the_manifest(manifest: list[ManifestEntry]) -> None:
    named = root_of(leaves_of(manifest))
    said = seal_of(reached("compared"), named, "e" * 64, len(manifest), COUNTS.values(), DAY)
    assert said.root == root([leaf.encoded() for leaf in leaves_of(MANIFEST)]).hex()
    assert (said.schools, said.pupils, said.counted) == (3, 5, 2)
    assert (said.round, said.manifest_sha256, said.format) == ("2564-2", DIGEST, FORMAT_VERSION)
    assert said.extracts == "e" * 64
    assert said.closed_at == "2021-11-11T17:00:00+07:00"


def waiting(phase: str, **progress: Any) -> list[str]:
    found = awaited(reached(phase), Progress(**progress))
    assert all(a.th and a.en for a in found)
    return [a.service for a in found]


def test_whoever_is_awaited_is_named() -> None:
    assert waiting("closing") == ["intake"]
    assert waiting("fenced") == ["intake", "dedup"]
    assert waiting("fenced", manifest_parts=2) == ["dedup"]
    assert waiting("fenced", manifest_parts=2, outcome_parts=1, outcome_parts_of=2) == ["dedup"]
    assert waiting("fenced", manifest_parts=1, outcome_parts=2, outcome_parts_of=2) == ["intake"]
    assert waiting("fenced", manifest_parts=2, outcome_parts=2, outcome_parts_of=2) == ["snapshot"]
    assert waiting("settled") == ["snapshot"]
    assert waiting("settled", comparison=Comparison()) == ["snapshot"]
    assert waiting("settled", comparison=Comparison(missing=("1",))) == ["intake"]
    assert waiting("settled", comparison=Comparison(missing=("1",), astray=("2",))) == ["intake", "hq"]
    assert waiting("compared") == ["snapshot"]
    assert waiting("sealed") == []
    assert awaited(abort(CLOSING), Progress()) == ()


def test_of_very_many_schools_some_are_named_and_the_rest_counted() -> None:
    schools = tuple(f"{n:010}" for n in range(500))
    (found,) = awaited(reached("settled"), Progress(comparison=Comparison(missing=schools)))
    assert found.en.count(",") == 19
    assert found.en.endswith("and 480 more")
    assert "อีก 480 แห่ง" in found.th


def test_every_roster_round_of_the_calendar_can_be_closed() -> None:
    for plan in PLANS.values():
        if plan.kind == "roster":
            assert _closable(plan)


def _closable(plan: RoundPlan) -> bool:
    return announce(None, plan, "c", plan.window("close").opens).round == plan.name
