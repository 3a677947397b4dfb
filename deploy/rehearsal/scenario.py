"""One whole collection round, played through the HTTP API with a clock that walks from 15 October to 15 November 2564.

The acts of the play are in `collecting` (uploads, findings, duplicates), `deciding` (confirm, certify, acknowledge,
close) and `checking` (receipts, proofs, package, nothing lost). Whoever runs it brings a running system.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from deploy.rehearsal import truth
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.person import Person
from deploy.rehearsal.summary import Summary

ROUND = "2564-2"
BUILDINGS_ROUND = "bobec-2564"
PARALLEL = 6
T = TypeVar("T")


@dataclass(frozen=True)
class Stage:
    """Where the play is played. `set_clock` sets the round clock of every process; `say` tells the audience; everything
    waited for may take `patience` times as long, where the system is being broken meanwhile."""

    client: httpx.Client
    nation: Path
    passwords: dict[str, str]
    set_clock: Callable[[datetime], None]
    say: Callable[[str], None]
    summary: Summary = field(default_factory=Summary)
    journal: Journal | None = None
    patience: float = 1.0

    def person(self, username: str) -> Person:
        return Person(self.client, username, self.passwords[username], self.journal, self.patience)

    def wait_for(self, condition: Callable[[], T | None], what: str, seconds: float = 60.0) -> T:
        """Ask until there is an answer; TimeoutError names what was waited for."""
        return wait_for(condition, what, seconds * self.patience)


@dataclass
class Cast:
    """The people of the play, and what was accepted from them (for proving that nothing was lost)."""

    hq: Person
    areas: dict[str, Person]
    clerks: dict[str, Person]
    directors: dict[str, Person]
    truth: truth.Truth
    late: str
    versions: dict[str, list[str]] = field(default_factory=dict)
    receipts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    """National ID of a planted duplicate → its case."""

    def remember_version(self, school: str, upload: dict[str, Any]) -> None:
        if upload["state"] == "accepted":
            self.versions.setdefault(school, []).append(upload["sha256"])

    def remember_act(self, school: str, answer: dict[str, Any]) -> None:
        self.receipts.setdefault(school, []).append(answer["receipt"])


def usernames(schools: Iterable[str], esas: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """(username, name, role, scope) of everybody in the play."""
    people = [("obec", "สพฐ. ส่วนกลาง", "hq", "*"), ("ops", "ผู้ดูแลระบบ", "ops", "*")]
    people += [(f"area-{esa}", f"เจ้าหน้าที่เขต {esa}", "area", esa) for esa in esas]
    for code in schools:
        people.append((f"clerk-{code}", f"เจ้าหน้าที่ข้อมูล {code}", "clerk", code))
        people.append((f"director-{code}", f"ผู้อำนวยการ {code}", "director", code))
    return people


def cast(stage: Stage) -> Cast:
    """Everybody, with nobody signed in yet. The director who comes late is that of the smallest school with pupils."""
    told = truth.load(stage.nation / "truth.json")
    schools = sorted(told.schools)
    esas = truth.areas(told.schools.values())
    return Cast(
        hq=stage.person("obec"),
        areas={esa: stage.person(f"area-{esa}") for esa in esas},
        clerks={code: stage.person(f"clerk-{code}") for code in schools},
        directors={code: stage.person(f"director-{code}") for code in schools},
        truth=told,
        late=min(
            (code for code in schools if told.schools[code].pupils), key=lambda c: told.schools[c].pupils
        ),
    )


def at_once(stage: Stage, work: Callable[[T], None], items: Sequence[T], what: str) -> None:
    """Do it for every item, several at a time; a failure is a fault of the round and stops nobody else."""
    done = 0
    began = time.monotonic()

    def guarded(item: T) -> None:
        try:
            work(item)
        except Exception as problem:
            stage.summary.fault(f"{what}: {type(problem).__name__}: {problem}")

    with ThreadPoolExecutor(PARALLEL) as pool:
        for _ in pool.map(guarded, items):
            done += 1
            if done % 50 == 0:
                stage.say(f"  {what}: {done}/{len(items)}")
    stage.say(f"  {what}: {len(items)} in {time.monotonic() - began:.1f} s")


def wait_for(condition: Callable[[], T | None], what: str, seconds: float = 60.0) -> T:
    """Ask until there is an answer; TimeoutError names what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.1)
    raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
