"""The second act: the day of confirming and certifying, the area's day, and headquarters closing the round."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from deploy.rehearsal.collecting import school_path
from deploy.rehearsal.person import problem_of
from deploy.rehearsal.scenario import ROUND, Cast, Stage, at_once


def confirm_day(stage: Stage, people: Cast) -> None:
    """10 November 2564, 08:30-16:30: every clerk confirms and every director certifies, but for one who comes late."""
    stage.set_clock(datetime.fromisoformat("2021-11-10T08:30:00+07:00"))
    at_once(stage, lambda code: confirm(stage, people, code), sorted(people.clerks), "schools confirmed")
    in_time = [code for code in sorted(people.directors) if code != people.late]
    at_once(stage, lambda code: certify(stage, people, code), in_time, "directors certified")
    stage.set_clock(datetime.fromisoformat("2021-11-10T16:30:00+07:00"))
    _late(stage, people)


def confirm(stage: Stage, people: Cast, code: str) -> None:
    """The clerk confirms as soon as the school is ready."""
    clerk = people.clerks[code]
    school = stage.wait_for(lambda: ready(people, code), f"{code} ready", 20)
    people.remember_act(code, clerk.do("POST", school_path(code, "/confirmation"), sha256=school["sha256"]))
    stage.summary.add(confirmed=1, students=school["pupils"])


def ready(people: Cast, code: str) -> dict[str, Any] | None:
    """The school as its clerk sees it, once it can be confirmed."""
    school: dict[str, Any] = people.clerks[code].ask(school_path(code))
    return school if school["state"] == "ready" else None


def certify(stage: Stage, people: Cast, code: str) -> None:
    """The director steps up and certifies what is shown."""
    director = people.directors[code]
    director.sign_in(step_up=True)
    school = director.ask(school_path(code))
    body = {"statement": school["statement"]["th"]}
    answer = director.do("POST", school_path(code, "/certification"), body, sha256=school["sha256"])
    people.remember_act(code, answer)
    stage.summary.add(certified=1)


def _late(stage: Stage, people: Cast) -> None:
    """16:30 is too late: the answer names the window, and nothing changes."""
    director = people.directors[people.late]
    director.sign_in(step_up=True)
    school = director.ask(school_path(people.late))
    body = {"statement": school["statement"]["th"]}
    answer = director.attempt(
        "POST", school_path(people.late, "/certification"), body, sha256=school["sha256"]
    )
    stage.summary.expect("the late director's answer", problem_of(answer), "outside-window")
    stage.summary.expect(
        "the late school's state", director.ask(school_path(people.late))["state"], "confirmed"
    )
    stage.summary.add(refused_late=1)


def area_day(stage: Stage, people: Cast) -> None:
    """11 November 2564: the area settles the duplicates both schools claim, and acknowledges the reports."""
    stage.set_clock(datetime.fromisoformat("2021-11-11T09:00:00+07:00"))
    for duplicate in people.truth.duplicates:
        if duplicate.resolution == "ours":
            case = people.cases[duplicate.national_id]
            judge = people.areas[people.truth.schools[duplicate.true_school].esa]
            decision = {"belongs_to": duplicate.true_school, "reason": "ตรวจสอบตัวตนแล้ว"}
            judge.do("POST", f"/api/v1/duplicates/{case}/decision", decision)
    certified = [code for code in sorted(people.clerks) if code != people.late]
    at_once(stage, lambda code: _acknowledge(stage, people, code), certified, "reports acknowledged")


def _acknowledge(stage: Stage, people: Cast, code: str) -> None:
    officer = people.areas[people.truth.schools[code].esa]
    sha256 = officer.ask(school_path(code))["sha256"]
    people.remember_act(code, officer.do("POST", school_path(code, "/acknowledgement"), sha256=sha256))
    stage.summary.add(acknowledged=1)


def close_round(stage: Stage, people: Cast) -> None:
    """11 November 2564, evening: headquarters closes; fenced, settled, compared, sealed."""
    stage.set_clock(datetime.fromisoformat("2021-11-11T17:00:00+07:00"))
    path = f"/api/v1/rounds/{ROUND}/closure"
    people.hq.do("POST", path)
    stage.wait_for(lambda: people.hq.ask(path)["state"] == "sealed", "the round sealed", 120)
    seal = people.hq.ask(f"/api/v1/rounds/{ROUND}/snapshot")["seal"]["payload"]
    stage.summary.merkle_root = seal["root"]
    stage.summary.counted = seal["counted"]
    wanted = sum(s.counted for code, s in people.truth.schools.items() if code != people.late)
    stage.summary.expect("pupils counted", seal["counted"], wanted)
    stage.summary.expect("pupils sealed", seal["pupils"], stage.summary.students)
