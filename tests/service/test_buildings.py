"""The buildings round over its HTTP API, on a real database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.buildings.app import SERVICE
from services.contracts.buildings import InventoryConfirmed
from services.contracts.calendar import load
from services.contracts.intake import AreaRegistered, RegisteredSchool
from services.contracts.snapshot import RoundOpened
from tests.support.bench import Bench
from tests.support.scenes import BUILDING as RECORD
from tests.support.tokens import bearer

A, B, FAR = "1066350177", "1066350178", "1065000001"
ROOT = "/api/v1/bobec/bobec-2564"
CALENDAR = Path(__file__).parents[2] / "deploy" / "calendars" / "2564.toml"


def register(b: Bench, esa: str, *codes: str, revision: int = 1) -> None:
    schools = tuple(
        RegisteredSchool(code=c, smis8=c[2:], name=f"บ้าน {c}", levels="ป", province="พิจิตร") for c in codes
    )
    b.deliver(AreaRegistered(esa=esa, name=f"สพป. {esa}", revision=revision, schools=schools))


def open_round(b: Bench, year: int = 2564, *, extensions: tuple[dict[str, Any], ...] = ()) -> None:
    plan = next(plan for plan in load(CALENDAR) if plan.name == "bobec-2564").to_plain()
    text = {"name": f"bobec-{year}", "academic_year": year}
    plan |= text
    for activity in plan["activity"]:
        shift = year - 2564
        activity["from"], activity["to"] = f"{2021 + shift}-10-01", f"{2021 + shift}-10-30"
    b.deliver(
        RoundOpened(round=f"bobec-{year}", revision=1 + len(extensions), plan=plan, extensions=extensions)
    )


@pytest.fixture
def b(bench: Callable[..., Bench]) -> Bench:
    made = bench(SERVICE)
    register(made, "6602", A, B)
    register(made, "6501", FAR)
    open_round(made)
    return made


def clerk(b: Bench, school: str = A) -> dict[str, str]:
    return bearer(b.keys, f"clerk-{school}", ("clerk", school))


def area(b: Bench, esa: str = "6602") -> dict[str, str]:
    return bearer(b.keys, f"area-{esa}", ("area", esa))


def hq(b: Bench) -> dict[str, str]:
    return bearer(b.keys, "hq", ("hq", "*"))


def at(school: str = A, tail: str = "") -> str:
    return f"{ROOT}/schools/{school}{tail}"


def add(b: Bench, school: str = A, **more: Any) -> Any:
    return b.client.post(at(school, "/buildings"), json=RECORD | more, headers=clerk(b, school))


def confirm(b: Bench, who: dict[str, str], school: str = A, tag: str | None = None) -> Any:
    if tag is None:
        tag = b.client.get(at(school), headers=hq(b)).json["sha256"]
    return b.client.post(at(school, "/confirmation"), headers=who | {"If-Match": f'"{tag}"'})


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert response.json["type"] == f"/problems/{code}"
    assert response.json["detail_th"]
    assert response.json["detail_en"]
    return response.json


def test_a_record_is_added_shown_and_changed(b: Bench) -> None:
    made = add(b)
    assert made.status_code == 201
    assert made.headers["Location"] == at(A, "/buildings/1")
    assert made.headers["ETag"] == '"1"'
    assert made.json["age"] == 24
    assert made.json["type_th"] == "อาคารเรียน"
    changed = b.client.patch(
        at(A, "/buildings/1"), json={"condition": "ทรุดโทรม"}, headers=clerk(b) | {"If-Match": '"1"'}
    )
    assert changed.status_code == 200
    assert (changed.json["revision"], changed.json["condition"]) == (2, "ทรุดโทรม")
    shown = b.client.get(at(A, "/buildings"), headers=clerk(b)).json
    assert [one["number"] for one in shown["buildings"]] == [1]
    acts = b.client.get(at(), headers=clerk(b)).json["acts"]
    assert [(one["act"], one["number"]) for one in acts] == [("added", 1), ("changed", 1)]
    assert acts[1]["fields"] == ["condition"]


def test_a_change_needs_the_revision_that_was_seen(b: Bench) -> None:
    add(b)
    url, body = at(A, "/buildings/1"), {"rooms_actual": 5}
    problem(b.client.patch(url, json=body, headers=clerk(b)), 428, "if-match-missing")
    problem(b.client.patch(url, json=body, headers=clerk(b) | {"If-Match": '"7"'}), 412, "stale")
    same = b.client.patch(url, json={"rooms_actual": 4}, headers=clerk(b) | {"If-Match": '"1"'})
    assert same.json["revision"] == 1


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"type": "99"}, "type"),
        ({"type": 1}, "type"),
        ({"condition": "ชำรุด"}, "condition"),
        ({"rooms_actual": "4"}, "rooms_actual"),
        ({"rooms_actual": True}, "rooms_actual"),
        ({"rooms_actual": -1}, "rooms_actual"),
        ({"rooms_actual": 3.0}, "rooms_actual"),
        ({"cost_baht": 10**12}, "cost_baht"),
        ({"year_built_be": 1975}, "year_built_be"),
        ({"design": "ก\u0000ข"}, "design"),
        ({"design": "\u202eก"}, "design"),
        ({"design": "ก" * 201}, "design"),
        ({"budget_source": "ไม่ทราบ"}, "budget_source"),
        ({"use_status": "demolished"}, "use_status"),
        ({"number": 9}, "number"),
    ],
)
def test_a_body_that_is_wrong_is_refused_by_field_in_two_languages(
    b: Bench, bad: dict[str, Any], field: str
) -> None:
    answer = problem(add(b, **bad), 422, "invalid-body")
    assert list(answer["errors"]) == [field]
    for message in answer["errors"][field]:
        assert message["th"]
        assert message["en"]
    assert b.client.get(at(A, "/buildings"), headers=clerk(b)).json["buildings"] == []


@pytest.mark.parametrize("raw", [b"[]", b"{", b'"x"', b"\xff\xfe", b"[" * 5000])
def test_a_body_that_is_no_object_is_refused(b: Bench, raw: bytes) -> None:
    problem(b.client.post(at(A, "/buildings"), data=raw, headers=clerk(b)), 400, "not-json")


def test_other_hostile_requests_are_refused(b: Bench) -> None:
    problem(add(b, year_built_be=2565), 422, "built-after-round")
    problem(
        b.client.post(at(A, "/buildings"), data=b"x" * 70000, headers=clerk(b)),
        413,
        "too-large",
    )
    problem(b.client.get(f"{ROOT}/schools/10%00", headers=hq(b)), 404, "not-found")
    problem(b.client.get("/api/v1/bobec/%00/schools", headers=hq(b)), 404, "not-found")
    problem(b.client.get(at(A, "/buildings/99999999999999"), headers=hq(b)), 404, "not-found")
    problem(b.client.get(f"{ROOT}/schools?esa=%00", headers=hq(b)), 404, "not-found")
    problem(b.client.get(f"{ROOT}/schools?cursor=%00", headers=hq(b)), 422, "bad-cursor")
    problem(b.client.get(f"{ROOT}/schools?limit=0", headers=hq(b)), 422, "bad-limit")
    problem(b.client.get(f"{ROOT}/schools?limit=٣", headers=hq(b)), 422, "bad-limit")
    problem(b.client.get(f"{ROOT}/schools?state=x", headers=hq(b)), 422, "no-such-state")
    problem(b.client.get(at()), 401, "token-missing")


def test_what_a_person_may_not_know_of_is_not_found(b: Bench) -> None:
    add(b)
    for who in (clerk(b, B), area(b, "6501"), bearer(b.keys, "ops", ("ops", "*"))):
        for url in (at(), at(A, "/buildings"), at(A, "/buildings/1"), at(A, "/inventory")):
            problem(b.client.get(url, headers=who), 404, "not-found")
        problem(b.client.post(at(A, "/buildings"), json=RECORD, headers=who), 404, "not-found")
        problem(b.client.delete(at(A, "/confirmation"), headers=who), 404, "not-found")
    problem(b.client.get(at("1000000000"), headers=hq(b)), 404, "not-found")
    problem(b.client.get(at(A, "/buildings/2"), headers=clerk(b)), 404, "not-found")


def test_area_and_headquarters_look_but_do_not_record(b: Bench) -> None:
    for who in (area(b), hq(b)):
        assert b.client.get(at(), headers=who).status_code == 200
        problem(b.client.post(at(A, "/buildings"), json=RECORD, headers=who), 403, "not-allowed")


def test_acts_are_within_the_window_only(b: Bench) -> None:
    b.set_time("2021-09-30T23:59:59+07:00")
    answer = problem(add(b), 409, "outside-window")
    assert "1 ต.ค. 2564 - 30 ต.ค. 2564" in answer["detail_th"]
    assert "30 Oct 2021" in answer["detail_en"]
    b.set_time("2021-10-01T00:00:00+07:00")
    assert add(b).status_code == 201
    b.set_time("2021-10-31T00:00:00+07:00")
    problem(confirm(b, clerk(b)), 409, "outside-window")
    assert b.client.get(at(), headers=clerk(b)).json["may"] == []
    longer = {"activity": "record", "school": A, "until": "2021-11-02T16:30:00+07:00"}
    open_round(b, extensions=(longer,))
    assert confirm(b, clerk(b)).status_code == 200
    problem(add(b, B), 409, "outside-window")


def test_school_then_area_confirm_the_named_list(b: Bench) -> None:
    add(b)
    problem(confirm(b, area(b)), 409, "school-not-confirmed")
    problem(confirm(b, clerk(b), tag="0" * 64), 412, "stale")
    problem(b.client.post(at(A, "/confirmation"), headers=clerk(b)), 428, "if-match-missing")
    done = confirm(b, clerk(b))
    assert done.json["state"] == "confirmed-by-school"
    assert confirm(b, clerk(b)).json == done.json
    document = b.client.get(at(A, "/inventory"), headers=clerk(b)).data
    assert hashlib.sha256(document).hexdigest() == done.json["sha256"]
    problem(add(b), 409, "confirmed-undo-first")
    assert confirm(b, area(b)).json["state"] == "confirmed-by-area"
    told = b.published(InventoryConfirmed)
    assert [(one["level"], one["buildings"], one["sha256"]) for one in told] == [
        ("school", 1, done.json["sha256"]),
        ("area", 1, done.json["sha256"]),
    ]
    assert told[0]["revision"] < told[1]["revision"]


def test_a_confirmation_is_taken_back_level_by_level(b: Bench) -> None:
    add(b)
    problem(b.client.delete(at(A, "/confirmation"), headers=clerk(b)), 409, "not-confirmed")
    confirm(b, clerk(b))
    problem(b.client.delete(at(A, "/confirmation"), headers=area(b)), 403, "not-allowed")
    confirm(b, area(b))
    problem(b.client.delete(at(A, "/confirmation"), headers=clerk(b)), 409, "confirmed-by-area")
    assert b.client.delete(at(A, "/confirmation"), headers=area(b)).json["state"] == "confirmed-by-school"
    assert b.client.delete(at(A, "/confirmation"), headers=clerk(b)).json["state"] == "recording"
    assert add(b).status_code == 201
    assert [one["level"] for one in b.published(InventoryConfirmed)] == ["school", "area", "school", "none"]


def test_one_person_never_confirms_at_both_levels(b: Bench) -> None:
    both = bearer(b.keys, "both", ("director", A), ("area", "6602"))
    assert confirm(b, both).json["state"] == "confirmed-by-school"
    problem(confirm(b, both), 403, "same-person")


def test_a_building_never_just_vanishes(b: Bench) -> None:
    add(b)
    assert b.client.delete(at(A, "/buildings/1"), headers=clerk(b)).status_code == 405
    url = at(A, "/buildings/1/retirement")

    def step(to: str, who: dict[str, str]) -> Any:
        return b.client.post(url, json={"to": to, "document": "ศธ 04100/99"}, headers=who)

    problem(step("demolished", clerk(b)), 409, "no-such-step")
    problem(step("gone", clerk(b)), 422, "invalid-body")
    assert step("demolition-requested", clerk(b)).json["use_status_th"] == "ขอรื้อถอน"
    assert step("demolition-requested", clerk(b)).json["revision"] == 2
    problem(step("demolition-permitted", clerk(b)), 403, "not-allowed")
    assert step("demolition-permitted", area(b)).status_code == 200
    assert step("demolished", clerk(b)).json["use_status"] == "demolished"
    shown = b.client.get(at(A, "/buildings"), headers=clerk(b)).json
    assert (len(shown["buildings"]), shown["records"]) == (1, 1)
    assert b.client.get(at(), headers=clerk(b)).json["buildings"] == 0


def test_last_years_inventory_is_carried_forward(b: Bench) -> None:
    b.set_time("2020-10-05T09:00:00+07:00")
    open_round(b, 2563)
    old = ROOT.replace("2564", "2563")
    listed = {"buildings": [RECORD, RECORD | {"type": "05", "design": "สปช.601/26"}]}
    url = f"{old}/schools/{A}/carry-forward"
    problem(b.client.post(url, headers=clerk(b)), 409, "nothing-to-carry")
    first = b.client.post(url, json=listed, headers=clerk(b))
    assert first.json == {"carried_from": None, "carried": 2, "left_behind": []}
    assert b.client.post(url, json=listed, headers=clerk(b)).json == first.json
    for to, who in (("requested", clerk(b)), ("permitted", area(b))):
        body = {"to": f"demolition-{to}", "document": "ศธ 04100/99"}
        b.client.post(f"{old}/schools/{A}/buildings/1/retirement", json=body, headers=who)
    body = {"to": "demolished", "document": "ศธ 04100/99"}
    b.client.post(f"{old}/schools/{A}/buildings/1/retirement", json=body, headers=clerk(b))
    b.set_time("2021-10-05T09:00:00+07:00")
    new = b.client.post(at(A, "/carry-forward"), headers=clerk(b))
    assert new.json == {"carried_from": "bobec-2563", "carried": 1, "left_behind": [1]}
    assert b.client.post(at(A, "/carry-forward"), headers=clerk(b)).json == new.json
    assert add(b).json["number"] == 3
    assert add(b, B).json["number"] == 1
    problem(b.client.post(at(B, "/carry-forward"), headers=clerk(b, B)), 409, "inventory-not-empty")


def test_an_imported_list_is_taken_whole_or_not_at_all(b: Bench) -> None:
    url = at(A, "/carry-forward")
    bad = {"buildings": [RECORD, RECORD | {"condition": "พัง"}]}
    answer = problem(b.client.post(url, json=bad, headers=clerk(b)), 422, "invalid-body")
    assert list(answer["errors"]["buildings"]) == ["1"]
    problem(b.client.post(url, json={"buildings": [RECORD] * 301}, headers=clerk(b)), 422, "invalid-body")
    problem(b.client.post(url, json={"buildings": [7]}, headers=clerk(b)), 422, "invalid-body")
    late = {"buildings": [RECORD, RECORD | {"year_built_be": 2600}]}
    problem(b.client.post(url, json=late, headers=clerk(b)), 422, "built-after-round")
    assert b.client.get(at(), headers=clerk(b)).json["records"] == 0
    assert b.client.post(url, json={"buildings": [RECORD] * 200}, headers=clerk(b)).json["carried"] == 200


def test_progress_and_counts_by_scope(b: Bench) -> None:
    add(b)
    add(b, type="05", condition="ดี")
    confirm(b, clerk(b))
    page = b.client.get(f"{ROOT}/schools?limit=1", headers=area(b)).json
    assert [one["school"] for one in page["schools"]] == [A]
    assert page["next"] == A
    assert page["summary"] == {
        "schools": 2,
        "buildings": 2,
        "by_state": {"confirmed-by-school": 1, "recording": 1},
    }
    rest = b.client.get(f"{ROOT}/schools?cursor={page['next']}", headers=area(b)).json
    assert [(one["school"], one["state"]) for one in rest["schools"]] == [(B, "recording")]
    assert rest["next"] is None
    national = b.client.get(f"{ROOT}/schools?state=recording", headers=hq(b)).json
    assert [one["school"] for one in national["schools"]] == [FAR, B]
    own = b.client.get(f"{ROOT}/schools", headers=clerk(b, B)).json
    assert [one["school"] for one in own["schools"]] == [B]
    problem(b.client.get(f"{ROOT}/schools?esa=6501", headers=area(b)), 404, "not-found")
    problem(b.client.get(f"{ROOT}/schools", headers=bearer(b.keys, "p", ("ops", "*"))), 404, "not-found")
    types = b.client.get(f"{ROOT}/summary?esa=6602", headers=hq(b)).json["types"]
    assert [(one["type"], one["condition"], one["buildings"], one["rooms"]) for one in types] == [
        ("01", "พอใช้", 1, 4),
        ("05", "ดี", 1, 4),
    ]
    assert b.client.get(f"{ROOT}/summary", headers=area(b, "6501")).json["types"] == []


def test_the_register_in_any_order_ends_the_same(b: Bench) -> None:
    register(b, "6501", FAR, A, revision=9)
    register(b, "6602", B, revision=8)
    register(b, "6602", A, B, revision=7)
    register(b, "6602", A, B, revision=1)
    assert b.client.get(at(), headers=area(b, "6501")).json["esa"] == "6501"
    problem(b.client.get(at(), headers=area(b)), 404, "not-found")
    assert b.client.get(at(B), headers=area(b)).status_code == 200


def test_a_round_of_rosters_is_not_ours(b: Bench) -> None:
    plan = next(plan for plan in load(CALENDAR) if plan.name == "2564-2")
    b.deliver(RoundOpened(round="2564-2", revision=1, plan=plan.to_plain()))
    problem(b.client.get("/api/v1/bobec/2564-2/schools", headers=hq(b)), 404, "not-found")
