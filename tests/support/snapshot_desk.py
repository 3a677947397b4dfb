"""Snapshot on the bench with an area of schools, an open round, documents, and the messages of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
from werkzeug.test import TestResponse

from services.contracts.dedup import Outcome, RoundSettled
from services.contracts.intake import (
    AreaRegistered,
    ManifestEntry,
    ManifestSent,
    RegisteredSchool,
    RosterAccepted,
    RoundFenced,
    SubmissionsChanged,
    SubmissionState,
)
from services.contracts.manifest import manifest_digest
from services.contracts.roster import canonical
from tests.support.bench import Bench
from tests.support.rosters import ROUND, pupil
from tests.support.tokens import bearer

ONE, TWO, THREE, FAR = "1066350177", "1066350179", "1066350181", "1063400001"
ESA, FAR_ESA = "6602", "6301"
CLOSE_DAY = "2021-11-11T17:00:00+07:00"


@dataclass(frozen=True, slots=True)
class Roster:
    """A canonical document: its bytes, packed bytes, name and pupils."""

    data: bytes
    pupils: int
    packed: bytes = field(repr=False)
    sha256: str


def roster(*pupils: dict[str, str]) -> Roster:
    """The canonical document of these pupils (birth dates in ISO or as the file has them)."""
    rows = [{**one, "birth_date": _iso(one["birth_date"])} for one in pupils]
    frame = canonical.canonicalise(pl.DataFrame(rows)) if rows else canonical.empty()
    data = canonical.encode(frame)
    return Roster(data, frame.height, canonical.pack(data), canonical.digest(data))


def _iso(text: str) -> str:
    if "/" not in text:
        return text
    day, month, year = text.split("/")
    return f"{int(year) - 543}-{month}-{day}"


def stands(school: str, revision: int, state: str, **more: Any) -> SubmissionState:
    """How a school's submission stands, after a request of its own; `more`: other fields than a submission without a roster has."""
    bare = SubmissionState(
        school=school,
        esa=ESA,
        revision=revision,
        state=state,
        sha256=None,
        pupils=0,
        act=state,
        at="2021-11-10T09:00:00+07:00",
        correlation=f"request-of-{school}",
        trace="",
    )
    return replace(bare, **more)


def told(*states: SubmissionState) -> SubmissionsChanged:
    return SubmissionsChanged(round=ROUND, submissions=states)


def roll(first: int, count: int, **values: str) -> Roster:
    """The document of `count` sound pupils from number `first`."""
    return roster(*(pupil(number, **values) for number in range(first, first + count)))


def entry(
    school: str, made: Roster | None, state: str = "certified", esa: str = ESA, revision: int = 5
) -> ManifestEntry:
    return ManifestEntry(
        school=school,
        esa=esa,
        revision=revision,
        state=state,
        sha256=made.sha256 if made else None,
        pupils=made.pupils if made else 0,
    )


class SnapshotDesk:
    """Verbs instead of messages and requests: what headquarters, intake and dedup do."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.hq = bearer(bench.keys, "hq", ("hq", "*"))
        self.clerk = bearer(bench.keys, "clerk", ("clerk", ONE))
        self.area = bearer(bench.keys, "area", ("area", ESA))
        self.service = {"Authorization": f"Bearer {bench.keys.service_token('export')}"}
        self.register(ESA, ONE, TWO, THREE)
        self.register(FAR_ESA, FAR)

    def register(self, esa: str, *codes: str, revision: int = 1) -> None:
        schools = tuple(
            RegisteredSchool(code=c, smis8=c[-8:], name=f"โรงเรียน {c[-3:]}", levels="", province="")
            for c in codes
        )
        self.bench.deliver(AreaRegistered(esa=esa, name=f"เขต {esa}", revision=revision, schools=schools))

    def url(self, tail: str = "") -> str:
        return f"/api/v1/rounds/{ROUND}{tail}"

    def get(self, tail: str, who: dict[str, str] | None = None) -> TestResponse:
        return self.bench.client.get(self.url(tail), headers=who or self.hq)

    def open(self, name: str = ROUND) -> TestResponse:
        return self.bench.client.post("/api/v1/rounds", json={"round": name}, headers=self.hq)

    def accept(self, school: str, made: Roster, round_name: str = ROUND) -> None:
        """Intake tells of an accepted roster."""
        told = RosterAccepted(
            round=round_name, school=school, revision=1, sha256=made.sha256, pupils=made.pupils
        )
        self.bench.deliver(told, document=made.packed)

    def announce(self, at: str = CLOSE_DAY, round_name: str = ROUND) -> str:
        """Headquarters closes; the attempt's name."""
        self.bench.set_time(at)
        url = f"/api/v1/rounds/{round_name}/closure"
        answer = self.bench.client.post(url, json={}, headers=self.hq)
        assert answer.status_code == 202, answer.get_json()
        return str(answer.get_json()["closure"])

    def abort(self) -> TestResponse:
        return self.bench.client.delete(self.url("/closure"), headers=self.hq)

    def closure(self) -> Any:
        return self.get("/closure").get_json()

    def close(
        self,
        entries: Sequence[ManifestEntry],
        outcomes: Sequence[Outcome] = (),
        *,
        round_name: str = ROUND,
        at: str = CLOSE_DAY,
    ) -> str:
        """The whole closing with these answers of intake and dedup; the attempt's name."""
        closure = self.announce(at, round_name)
        for message in messages(closure, entries, outcomes, round_name=round_name):
            self.bench.deliver(message)
        self.bench.jobs()
        return closure

    def frames(self, after: str = "") -> bytes:
        answer = self.bench.client.get(
            f"/internal/v1/rounds/{ROUND}/extracts?after={after}", headers=self.service
        )
        assert answer.status_code == 200, answer.get_json()
        return answer.get_data()


def messages(
    closure: str,
    entries: Sequence[ManifestEntry],
    outcomes: Sequence[Outcome] = (),
    parts: int = 2,
    round_name: str = ROUND,
) -> list[Any]:
    """What intake and dedup send for a closing: the fence, the manifest and the outcomes, each in `parts`."""
    digest, named = manifest_digest(entries), {"round": round_name, "closure": closure}
    sent: list[Any] = [RoundFenced(**named, parts=parts, schools=len(entries), manifest_sha256=digest)]
    sent += [
        ManifestSent(**named, part=n, parts=parts, entries=tuple(entries[n::parts])) for n in range(parts)
    ]
    sent += [
        RoundSettled(**named, manifest_sha256=digest, part=n, parts=parts, outcomes=tuple(outcomes[n::parts]))
        for n in range(parts)
    ]
    return sent
