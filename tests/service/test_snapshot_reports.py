"""What a sealed round came to: counts, reasons, budget, proofs and the stream for export, and who sees which of it."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.contracts.dedup import Outcome
from services.contracts.export import PackageBuilt
from services.contracts.roster import canonical, extract
from services.contracts.statements import read_proof, read_seal, root_of
from services.export.rules.frames import Frame, read_frames
from services.snapshot.api.extracts import SCHOOLS_PER_PAGE
from services.snapshot.rules.counts import REASONS
from tests.support.rosters import ROUND, pupil
from tests.support.snapshot_desk import (
    ESA,
    FAR,
    FAR_ESA,
    ONE,
    THREE,
    TWO,
    Roster,
    SnapshotDesk,
    entry,
    roll,
    roster,
)
from tests.support.tokens import bearer

MIXED = roster(
    pupil(1, student_code="01"),
    pupil(2, student_code="02", cannot_discharge_yet="1"),
    pupil(3, student_code="03", birth_date="01/06/2562"),
    pupil(4, student_code="04", cannot_discharge_yet="1", birth_date="01/06/2562"),
    pupil(5, student_code="05"),
    pupil(6, student_code="06"),
    pupil(7, student_code="07", grade="ป.2"),
    pupil(8, student_code="08", cannot_discharge_yet="1"),
)
"""Lines 1 to 8 are pupils 1 to 6, 8 and 7: by grade, then student code."""
TWO_ROLL, EMPTY, FAR_ROLL = roll(20, 2), roster(), roll(30, 4, grade="ม.1")
LINES = {
    2: "duplicate-lost",
    3: "under-age",
    4: "cannot-discharge",
    5: "duplicate-lost",
    6: "duplicate-undecided",
}
LINES |= {7: "cannot-discharge"}


def outcome(line: int, reason: str) -> Outcome:
    return Outcome(school=ONE, sha256=MIXED.sha256, line=line, reason=reason, case=f"c{line}{reason}")


OUTCOMES = [
    outcome(2, "duplicate-lost"),
    outcome(5, "duplicate-undecided"),
    outcome(5, "duplicate-lost"),
    outcome(6, "duplicate-undecided"),
    Outcome(school=TWO, sha256=TWO_ROLL.sha256, line=1, reason="duplicate-lost", case="t"),
]
ENTRIES = [
    entry(ONE, MIXED, "acknowledged"),
    entry(TWO, TWO_ROLL, "confirmed"),
    entry(THREE, EMPTY, "certified"),
    entry(FAR, FAR_ROLL, "certified", esa=FAR_ESA),
]


@pytest.fixture
def sealed(snapshot: SnapshotDesk) -> SnapshotDesk:
    rosters: dict[str, Roster] = {ONE: MIXED, TWO: TWO_ROLL, THREE: EMPTY, FAR: FAR_ROLL}
    for school, made in rosters.items():
        snapshot.accept(school, made)
    snapshot.close(ENTRIES, OUTCOMES)
    assert snapshot.closure()["state"] == "sealed", snapshot.closure()
    return snapshot


def report(desk: SnapshotDesk, tail: str, who: dict[str, str] | None = None) -> Any:
    answer = desk.get(tail, who)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].removeprefix("/problems/")


def test_counted_pupils_by_grade_and_sex_and_the_reasons_of_the_rest(sealed: SnapshotDesk) -> None:
    found = report(sealed, f"/reports/counts?school={ONE}")
    assert found["counts"] == [
        {"grade": "ป.1", "sex": "ญ", "pupils": 1},
        {"grade": "ป.2", "sex": "ญ", "pupils": 1},
    ]
    reasons = dict.fromkeys(REASONS, 0)
    reasons |= {reason: list(LINES.values()).count(reason) for reason in LINES.values()}
    assert found["not_counted"] == reasons
    assert (found["schools"], found["pupils"], found["counted"]) == (1, 8, 2)


@pytest.mark.parametrize(
    "narrowed", ["", f"?esa={ESA}", f"?esa={FAR_ESA}", f"?school={TWO}", f"?school={THREE}"]
)
def test_counted_and_the_reasons_together_are_the_pupils(sealed: SnapshotDesk, narrowed: str) -> None:
    found = report(sealed, f"/reports/counts{narrowed}")
    assert found["counted"] == sum(one["pupils"] for one in found["counts"])
    assert found["counted"] + sum(found["not_counted"].values()) == found["pupils"]


def test_the_nation_is_the_sum_of_its_areas_and_what_the_seal_says(sealed: SnapshotDesk) -> None:
    nation = report(sealed, "/reports/counts")
    areas = [report(sealed, f"/reports/counts?esa={esa}") for esa in (ESA, FAR_ESA)]
    seal = report(sealed, "/snapshot")["seal"]["payload"]
    for number in ("schools", "pupils", "counted"):
        assert nation[number] == sum(area[number] for area in areas) == seal[number]
    assert (seal["schools"], seal["pupils"], seal["counted"]) == (4, 14, 6)


def test_a_school_that_was_not_certified_is_in_the_snapshot_and_not_counted(sealed: SnapshotDesk) -> None:
    found = report(sealed, f"/reports/counts?school={TWO}")
    assert (found["pupils"], found["counted"], found["counts"]) == (2, 0, [])
    assert found["not_counted"]["not-certified"] == 2
    zero = report(sealed, f"/reports/counts?school={THREE}")
    assert (zero["schools"], zero["pupils"], zero["counted"]) == (1, 0, 0)


def test_who_is_not_counted_by_school_page_by_page(sealed: SnapshotDesk) -> None:
    whole = report(sealed, "/reports/not-counted")
    assert whole["next"] is None
    assert [(row["school"], row["reason"], row["pupils"]) for row in whole["rows"]] == [
        (ONE, "cannot-discharge", 2),
        (ONE, "duplicate-lost", 2),
        (ONE, "duplicate-undecided", 1),
        (ONE, "under-age", 1),
        (TWO, "not-certified", 2),
    ]
    assert whole["rows"][0]["name"] == "โรงเรียน 177"
    paged, cursor = [], ""
    while cursor is not None:
        page = report(sealed, f"/reports/not-counted?limit=2&cursor={cursor}")
        assert page["totals"] == whole["totals"]
        paged += page["rows"]
        cursor = page["next"]
    assert paged == whole["rows"]


def test_the_budget_pays_for_those_counted_and_says_how_sure_each_rate_is(sealed: SnapshotDesk) -> None:
    nation, one = report(sealed, "/budget"), report(sealed, f"/budget?school={ONE}")
    assert (one["heads"], one["baht"]) == (2, 2 * (950 + 195 + 240))
    assert (nation["heads"], nation["baht"]) == (6, one["baht"] + 4 * (1750 + 210 + 440))
    line = nation["lines"][0]
    assert (line["item"], line["level"], line["heads"], line["rate"]) == ("teaching", "P", 2, 950)
    assert line["baht"] == 1900
    assert line["item_th"]
    assert line["item_en"]
    assert line["certainty"] == "derived"
    for sums in ("by_certainty", "by_level", "by_item"):
        assert sum(nation[sums].values()) == nation["baht"]
    assert nation["by_certainty"]["recall"] == 4 * (1750 + 210 + 440)
    assert (nation["academic_year"], nation["term"], nation["heads_without_rate"]) == (2564, 2, 0)
    assert report(sealed, f"/budget?school={TWO}")["baht"] == 0


def test_every_proof_leads_to_the_seal_and_only_its_own_people_get_it(sealed: SnapshotDesk) -> None:
    jwks, seal = sealed.bench.keys.jwks, report(sealed, "/snapshot")["seal"]
    leaves = []
    for school in (FAR, ONE, TWO, THREE):
        proof, found = read_proof(report(sealed, f"/snapshot/proofs/{school}"), jwks)
        assert proof.seal == seal
        assert (proof.leaf.school, proof.size) == (school, found.schools)
        leaves.append(proof.leaf)
    assert root_of(leaves) == seal["payload"]["root"]
    assert report(sealed, f"/snapshot/proofs/{ONE}", sealed.clerk)["leaf"]["sha256"] == MIXED.sha256
    assert report(sealed, f"/snapshot/proofs/{TWO}", sealed.area)["leaf"]["state"] == "confirmed"
    for school, who in (
        (TWO, sealed.clerk),
        (FAR, sealed.area),
        ("9999999999", sealed.hq),
        ("%00", sealed.hq),
    ):
        assert code(sealed.get(f"/snapshot/proofs/{school}", who)) == (404, "not-found")


REPORTS = ["/reports/counts", "/reports/not-counted", "/budget"]


@pytest.mark.parametrize("tail", REPORTS)
def test_everybody_gets_what_they_may_see_and_nothing_else(sealed: SnapshotDesk, tail: str) -> None:
    assert report(sealed, tail, sealed.clerk) == report(sealed, f"{tail}?school={ONE}")
    assert report(sealed, f"{tail}?school={ONE}", sealed.clerk) == report(sealed, f"{tail}?school={ONE}")
    assert report(sealed, tail, sealed.area) == report(sealed, f"{tail}?esa={ESA}")
    assert report(sealed, f"{tail}?school={TWO}", sealed.area) == report(sealed, f"{tail}?school={TWO}")
    partner, ops = (bearer(sealed.bench.keys, role, (role, "*")) for role in ("partner", "ops"))
    hidden = [
        (f"?school={TWO}", sealed.clerk),
        (f"?esa={ESA}", sealed.clerk),
        (f"?school={FAR}", sealed.area),
        (f"?esa={FAR_ESA}", sealed.area),
        ("", partner),
        ("", ops),
        (f"?school={ONE}", partner),
        ("", sealed.service),
        ("?school=9999999999", sealed.hq),
        ("?esa=nope", sealed.hq),
        ("?esa=%00", sealed.hq),
        ("?school=%27%3B--", sealed.hq),
    ]
    for asked, who in hidden:
        assert code(sealed.get(f"{tail}{asked}", who)) == (404, "not-found"), asked


@pytest.mark.parametrize("cursor", ["x", ":", "%00", "9999999999:zz", "'", "1066350177:under-age:more"])
def test_a_cursor_of_anybodys_making_does_no_harm(sealed: SnapshotDesk, cursor: str) -> None:
    assert sealed.get(f"/reports/not-counted?cursor={cursor}").status_code in (200, 404)
    assert sealed.get("/reports/not-counted?limit=-5").get_json()["rows"][0]["school"] == ONE


@pytest.mark.parametrize("tail", [*REPORTS, "/snapshot", f"/snapshot/proofs/{ONE}"])
def test_before_the_seal_there_is_nothing_to_report(snapshot: SnapshotDesk, tail: str) -> None:
    assert code(snapshot.get(tail)) == (409, "round-not-sealed")
    snapshot.announce()
    assert code(snapshot.get(tail, snapshot.clerk)) == (409, "round-not-sealed")
    answer = snapshot.bench.client.get(f"/api/v1/rounds/2564-1{tail}", headers=snapshot.hq)
    assert code(answer) == (404, "not-found")
    assert snapshot.bench.client.get(snapshot.url(tail)).status_code == 401


def test_a_year_end_round_has_no_budget(snapshot: SnapshotDesk) -> None:
    """No money hangs on it: everything else is there."""
    snapshot.open("2564-end")
    snapshot.accept(ONE, MIXED, "2564-end")
    snapshot.close([entry(ONE, MIXED)], round_name="2564-end", at="2022-05-20T17:00:00+07:00")
    answer = snapshot.bench.client.get("/api/v1/rounds/2564-end/budget", headers=snapshot.hq)
    assert code(answer) == (409, "no-budget")
    seal = snapshot.bench.client.get("/api/v1/rounds/2564-end/snapshot", headers=snapshot.clerk)
    assert seal.get_json()["seal"]["payload"]["pupils"] == 8


def test_headquarters_sees_the_packages_built_from_the_seal(sealed: SnapshotDesk) -> None:
    root = report(sealed, "/snapshot")["seal"]["payload"]["root"]
    built = PackageBuilt(
        round=ROUND, package="p1", root=root, manifest_sha256="ab", rows=6, at="2021-11-12T09:00:00+07:00"
    )
    sealed.bench.deliver(built)
    sealed.bench.deliver(built)
    (package,) = report(sealed, "/snapshot")["packages"]
    assert (package["package"], package["root"], package["rows"]) == ("p1", root, 6)
    assert "packages" not in report(sealed, "/snapshot", sealed.clerk)


def frames(data: bytes) -> list[Frame]:
    return list(read_frames([data]))


def extract_of(made: Roster) -> bytes:
    return extract.of_many([canonical.decode(made.data)])[0]


def test_the_stream_for_export_has_every_school_its_extract_and_its_uncounted_lines(
    sealed: SnapshotDesk,
) -> None:
    whole = sealed.frames()
    found = {frame.school: frame for frame in frames(whole)}
    assert list(found) == [FAR, ONE, TWO, THREE]
    assert dict(found[ONE].not_counted) == LINES
    assert (found[ONE].counted, canonical.unpack(found[ONE].packed)) == (True, extract_of(MIXED))
    assert (found[TWO].counted, found[TWO].sha256, dict(found[TWO].not_counted)) == (
        False,
        TWO_ROLL.sha256,
        {},
    )
    assert (found[THREE].counted, canonical.unpack(found[THREE].packed)) == (True, extract_of(EMPTY))
    assert [frame.school for frame in frames(sealed.frames(after=ONE))] == [TWO, THREE]
    assert sealed.frames(after=THREE) == b""
    assert sealed.frames(after="zz") == b""


def test_a_school_that_does_not_count_gives_no_pupils_away(sealed: SnapshotDesk) -> None:
    (uncounted,) = (frame for frame in frames(sealed.frames()) if not frame.counted)
    assert (uncounted.school, uncounted.pupils, uncounted.packed) == (TWO, 2, b"")


def test_the_extracts_that_are_streamed_are_those_under_the_seal(sealed: SnapshotDesk) -> None:
    streamed = [
        (frame.school, str(frame.sha256), canonical.digest(canonical.unpack(frame.packed)))
        for frame in frames(sealed.frames())
        if frame.counted
    ]
    seal = read_seal(report(sealed, "/snapshot")["seal"], sealed.bench.keys.jwks)
    assert seal.extracts == extract.digest_of(streamed)


def test_the_stream_is_for_the_export_service_alone(sealed: SnapshotDesk) -> None:
    url = f"/internal/v1/rounds/{ROUND}/extracts"
    other = bearer(sealed.bench.keys, "other", ("service", "portal"))
    for who in (sealed.hq, sealed.clerk, sealed.area, other):
        assert code(sealed.bench.client.get(url, headers=who)) == (404, "not-found")
    assert sealed.bench.client.get(url).status_code == 401
    assert code(sealed.bench.client.get(f"{url}?after=%00", headers=sealed.service)) == (404, "not-found")


def test_an_unsealed_round_is_not_streamed(snapshot: SnapshotDesk) -> None:
    url = f"/internal/v1/rounds/{ROUND}/extracts"
    answer = snapshot.bench.client.get(url, headers=snapshot.service)
    assert code(answer) == (409, "round-not-sealed")
    answer = snapshot.bench.client.get(url.replace(ROUND, "2564-1"), headers=snapshot.service)
    assert code(answer) == (404, "not-found")


def test_a_long_round_is_streamed_page_after_page(snapshot: SnapshotDesk) -> None:
    schools = [f"10{number:08d}" for number in range(2 * SCHOOLS_PER_PAGE + 20)]
    made = roll(1, 2)
    snapshot.accept(ONE, made)
    snapshot.close([entry(school, made if n % 3 else None) for n, school in enumerate(schools)])
    found = frames(snapshot.frames())
    assert [frame.school for frame in found] == schools
    assert [frame.school for frame in frames(snapshot.frames(after=schools[99]))] == schools[100:]
