"""Dedup on its bench with two areas and a round, and the few things its tests do: send a roll, read cases, act."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from services.contracts.calendar import load
from services.contracts.intake import (
    AreaRegistered,
    ManifestEntry,
    ManifestSent,
    RegisteredSchool,
    RosterIdentified,
    RoundFenced,
)
from services.contracts.manifest import manifest_digest
from services.contracts.roster.canonical import pack
from services.contracts.snapshot import RoundOpened
from tests.support.bench import Bench
from tests.support.tokens import bearer

ROUND = "2564-2"
AREA, NEXT_AREA = "6602", "6501"
A, B, C = "1066350177", "1066350178", "1066350179"
FAR = "1065010001"
ROOT = f"/api/v1/rounds/{ROUND}/duplicates"
CALENDAR = Path(__file__).parents[2] / "deploy" / "calendars" / "2564.toml"
HQ_GRANT = ("hq", "*")
AREA_GRANT, NEXT_GRANT = ("area", AREA), ("area", NEXT_AREA)
EVIDENCE = {"school": A, "sentence": "เด็กมาเรียนทุกวัน"}


def key_of(pupil: str) -> str:
    """The identity key a synthetic pupil would have."""
    return hashlib.sha256(pupil.encode()).hexdigest()[:32]


def projection(pupils: Sequence[str]) -> bytes:
    """A packed projection; a pupil is a word, "" one without a readable ID."""
    rows = [
        f"{line},{key_of(pupil) if pupil else ''},ชื่อ{pupil},สกุล{pupil},2010-05-01,ช"
        for line, pupil in enumerate(pupils, start=1)
    ]
    return pack("\n".join(["line,key,first_name,last_name,birth_date,sex", *rows, ""]).encode())


def sha_of(school: str, pupils: Sequence[str]) -> str:
    return hashlib.sha256(f"{school}:{','.join(pupils)}".encode()).hexdigest()


def area(esa: str, *codes: str, revision: int = 1, prefix: str = "บ้าน") -> AreaRegistered:
    schools = tuple(
        RegisteredSchool(code=c, smis8=c[2:], name=f"{prefix} {c}", levels="ป", province="พิจิตร")
        for c in codes
    )
    return AreaRegistered(esa=esa, name=f"สพป. {esa}", revision=revision, schools=schools)


def opened(revision: int = 1, extensions: tuple[dict[str, Any], ...] = ()) -> RoundOpened:
    plan = next(plan for plan in load(CALENDAR) if plan.name == ROUND).to_plain()
    return RoundOpened(round=ROUND, revision=revision, plan=plan, extensions=extensions)


def identified(school: str, pupils: Sequence[str], revision: int) -> RosterIdentified:
    return RosterIdentified(
        round=ROUND, school=school, revision=revision, sha256=sha_of(school, pupils), pupils=len(pupils)
    )


def entry(school: str, pupils: Sequence[str] | None, revision: int, esa: str = AREA) -> ManifestEntry:
    sha256 = None if pupils is None else sha_of(school, pupils)
    return ManifestEntry(
        school=school, esa=esa, revision=revision, state="certified", sha256=sha256, pupils=len(pupils or ())
    )


def closing(closure: str, *parts: Sequence[ManifestEntry]) -> list[object]:
    """What intake sends at a fence: the announcement of the manifest, then its parts."""
    entries = [one for part in parts for one in part]
    named = {"round": ROUND, "closure": closure, "parts": len(parts)}
    fenced = RoundFenced(schools=len(entries), manifest_sha256=manifest_digest(entries), **named)
    sent = [ManifestSent(part=n, entries=tuple(part), **named) for n, part in enumerate(parts)]
    return [fenced, *sent]


class Desk:
    """A bench with schools A, B, C of one area and FAR of another, and the round of term 2 open."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        bench.deliver(area(AREA, A, B, C))
        bench.deliver(area(NEXT_AREA, FAR))
        bench.deliver(opened())

    def roll(self, school: str, pupils: Sequence[str], revision: int, *, event_id: str = "") -> None:
        event = identified(school, pupils, revision)
        self.bench.deliver(event, document=projection(pupils), event_id=event_id or str(uuid.uuid4()))

    def who(self, *grants: tuple[str, str], subject: str = "somchai") -> dict[str, str]:
        return bearer(self.bench.keys, subject, *grants)

    def cases(self, *grants: tuple[str, str], **query: object) -> list[dict[str, Any]]:
        """The cases this person sees; headquarters if nobody is named."""
        answer = self.bench.client.get(ROOT, query_string=query, headers=self.who(*(grants or (HQ_GRANT,))))
        assert answer.status_code == 200, answer.json
        assert answer.json is not None
        found: list[dict[str, Any]] = answer.json["cases"]
        return found

    def only_case(self) -> dict[str, Any]:
        (case,) = self.cases()
        return case

    def answer(
        self, case: str, school: str, *grants: tuple[str, str], sentence: str = "เด็กมาเรียนทุกวัน"
    ) -> Any:
        return self.bench.client.post(
            f"/api/v1/duplicates/{case}/evidence",
            json={"school": school, "sentence": sentence},
            headers=self.who(*(grants or (("clerk", school),))),
        )

    def decide(self, case: str, belongs_to: str, *grants: tuple[str, str], reason: str = "ตรวจแล้ว") -> Any:
        return self.bench.client.post(
            f"/api/v1/duplicates/{case}/decision",
            json={"belongs_to": belongs_to, "reason": reason},
            headers=self.who(*(grants or (("area", AREA),))),
        )


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem a request was refused with: as expected, and worded in both languages."""
    assert response.status_code == status, response.json
    body: dict[str, Any] = response.json
    assert body["type"] == f"/problems/{code}"
    assert body["detail_th"]
    assert body["detail_en"]
    return body


def count(desk: Desk, table: sa.Table) -> int:
    with desk.bench.database.transaction() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
