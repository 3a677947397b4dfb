"""The pure rules of the buildings round."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.buildings import rules
from services.buildings.rules import Actor, Building
from services.contracts.access import Grant
from services.contracts.refusal import Refusal

SCHOOL, AREA, BOTH, NOBODY = (
    Actor("s", at_school=True, at_area=False),
    Actor("a", at_school=False, at_area=True),
    Actor("b", at_school=True, at_area=True),
    Actor("n", at_school=False, at_area=False),
)
HOUSE = Building(
    number=1,
    type="01",
    design="ป.1ฉ",
    rooms_design=None,
    rooms_actual=3,
    rooms_special=0,
    year_built_be=2518,
    cost_baht=80000,
    budget_source="",
    condition="พอใช้",
)
BUILDINGS = st.builds(
    Building,
    number=st.integers(1, 999),
    type=st.sampled_from(["01", "28"]),
    design=st.text(),
    rooms_design=st.none() | st.integers(0, 999),
    rooms_actual=st.integers(0, 999),
    rooms_special=st.integers(0, 999),
    year_built_be=st.integers(2400, 2564),
    cost_baht=st.none() | st.integers(0, 10**11),
    budget_source=st.text(),
    condition=st.just("ดี"),
    use_status=st.sampled_from(sorted(rules.USE_STATUS)),
)


def code_of(refused: pytest.ExceptionInfo[Refusal]) -> str:
    return refused.value.code


def test_the_hash_of_a_pinned_inventory_stays() -> None:
    assert rules.canonical([]) == b"[]"
    assert rules.digest([HOUSE]) == "2192a2bd4eef78a397b60337dc0cf2f36a144fb44a47ee7f96a08e5be5051a01"


@given(st.lists(BUILDINGS, unique_by=lambda one: one.number, max_size=6).flatmap(st.permutations))
def test_the_order_of_records_never_matters_and_the_bytes_are_json(buildings: list[Building]) -> None:
    data = rules.canonical(buildings)
    assert data == rules.canonical(reversed(buildings))
    assert [one["number"] for one in json.loads(data)] == sorted(one.number for one in buildings)


def test_every_step_that_is_not_listed_is_refused() -> None:
    for now, to in itertools.product(rules.USE_STATUS, repeat=2):
        building = replace(HOUSE, use_status=now)
        for actor in (SCHOOL, AREA, BOTH, NOBODY):
            allowed = set(rules.STEPS.get((now, to), ())) & set(actor.places())
            if allowed:
                rules.may_retire(actor, rules.RECORDING, building, to)
                continue
            with pytest.raises(Refusal):
                rules.may_retire(actor, rules.RECORDING, building, to)


def test_every_status_but_the_last_leads_on_and_the_last_nowhere() -> None:
    leaves = {now for now, _ in rules.STEPS}
    assert leaves == set(rules.USE_STATUS) - {rules.DEMOLISHED}


@pytest.mark.parametrize("state", [rules.SCHOOL, rules.AREA_TOO])
def test_nothing_changes_after_a_confirmation(state: str) -> None:
    with pytest.raises(Refusal) as refused:
        rules.may_record(SCHOOL, state)
    assert code_of(refused) == "confirmed-undo-first"
    with pytest.raises(Refusal):
        rules.may_retire(SCHOOL, state, HOUSE, rules.REQUESTED)


def test_who_confirms_from_which_state() -> None:
    outcome = {}
    for name, actor in {"school": SCHOOL, "area": AREA, "nobody": NOBODY}.items():
        for state in rules.STATES:
            try:
                outcome[name, state] = rules.may_confirm(actor, state, confirmed_by="s")
            except Refusal as refused:
                outcome[name, state] = refused.code
    assert outcome == {
        ("school", rules.RECORDING): rules.SCHOOL,
        ("school", rules.SCHOOL): rules.SCHOOL,
        ("school", rules.AREA_TOO): "already-confirmed",
        ("area", rules.RECORDING): "school-not-confirmed",
        ("area", rules.SCHOOL): rules.AREA_TOO,
        ("area", rules.AREA_TOO): rules.AREA_TOO,
        ("nobody", rules.RECORDING): "not-allowed",
        ("nobody", rules.SCHOOL): "not-allowed",
        ("nobody", rules.AREA_TOO): "not-allowed",
    }


def test_what_a_page_may_offer() -> None:
    def offered(actor: Actor, state: str) -> list[str]:
        return rules.may(actor, state, window_open=True, confirmed_by="s")

    assert offered(SCHOOL, rules.RECORDING) == ["record", "confirm"]
    assert offered(SCHOOL, rules.SCHOOL) == ["undo"]
    assert offered(AREA, rules.SCHOOL) == ["confirm"]
    assert offered(AREA, rules.AREA_TOO) == ["undo"]
    assert offered(AREA, rules.RECORDING) == []
    assert rules.may(SCHOOL, rules.RECORDING, window_open=False, confirmed_by=None) == []


def test_demolished_buildings_stay_in_their_year() -> None:
    gone = replace(HOUSE, number=2, use_status=rules.DEMOLISHED)
    asked = replace(HOUSE, number=3, use_status=rules.REQUESTED)
    assert rules.carried([asked, gone, HOUSE]) == ([HOUSE, asked], [2])
    assert rules.standing([asked, gone, HOUSE]) == 2


def test_actors_and_revisions() -> None:
    grants = (Grant("director", "1066350177"), Grant("area", "6602"), Grant("hq", "*"))
    assert Actor.of("x", grants, "1066350177", "6602").places() == ("school", "area")
    assert Actor.of("x", grants, "1066350178", "6501").places() == ()
    assert rules.next_revision(5, 3) == 6
    assert rules.next_revision(5, 300) == 300
