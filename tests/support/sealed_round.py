"""A sealed round as the snapshot service would serve it: synthetic rosters, a really signed seal, and the stream of
extracts by HTTP, with the faults a test asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import polars as pl
from flask import Flask, Response, request

from services.contracts.roster import canonical, extract
from services.contracts.signed import sign
from services.contracts.snapshot import RoundSealed
from services.contracts.statements import Leaf, Seal, root_of
from services.kit.auth import verify
from services.kit.keys import Keys

ROUND = "2564-2"
SCHOOLS = ("1066020001", "1066020002", "1066020003", "1066020004")


def pupil(number: int, **more: str) -> dict[str, str]:
    """A made-up pupil; the ID is no real person's (province 00 does not exist)."""
    return {
        "school_code": "66020001",
        "national_id": f"100{number:010d}",
        "grade": "ป.1",
        "room": "1",
        "student_code": str(number),
        "sex": "ช",
        "title": "เด็กชาย",
        "first_name_th": f"สมมติ{number}",
        "last_name_th": "ทดสอบ",
        "birth_date": "2014-02-03",
        "nationality": "ไทย",
        "disability": "ไม่พิการ",
        "disadvantage": "เด็กยากจน",
        "cur_moo": "4",
    } | more


@dataclass(kw_only=True)
class SealedSchool:
    """One school under the seal; `roster` None: it never sent one."""

    code: str
    roster: list[dict[str, str]] | None
    state: str = "acknowledged"
    not_counted: Mapping[int, str] = field(default_factory=dict)
    esa: str = "6602"

    def __post_init__(self) -> None:
        self.document = (
            b"" if self.roster is None else canonical.encode(canonical.canonicalise(self._frame()))
        )
        self.sha256 = None if self.roster is None else canonical.digest(self.document)
        self.extract = b"" if self.sha256 is None else extract.of_many([canonical.decode(self.document)])[0]

    def _frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.roster) if self.roster else canonical.empty()

    @property
    def pupils(self) -> int:
        return len(self.roster or ())

    @property
    def counted(self) -> bool:
        return self.state in ("certified", "acknowledged")

    def frame(self) -> bytes:
        packed = canonical.pack(self.extract) if self.counted and self.sha256 is not None else b""
        header = {
            "school": self.code,
            "esa": self.esa,
            "state": self.state,
            "sha256": self.sha256,
            "pupils": self.pupils,
            "counted": self.counted,
            "not_counted": [{"line": line, "reason": why} for line, why in self.not_counted.items()],
            "bytes": len(packed),
        }
        return json.dumps(header).encode() + b"\n" + packed


def four_schools() -> list[SealedSchool]:
    """Counted with one pupil in doubt, not certified, without pupils, without a roster."""
    one, two, three, four = SCHOOLS
    first = [
        pupil(1, title="เด็กหญิง", sex="ญ", disability="ออทิสติก", gpax="3.25", grade="ม.1"),
        pupil(2, national_id="G640000000001", nationality="พม่า", title="สามเณร", last_name_th='ก"ข, ค'),
        pupil(3, graduated="1", disadvantage="", grade="ปวช.1"),
    ]
    return [
        SealedSchool(code=one, roster=first, not_counted={1: "duplicate-undecided"}),
        SealedSchool(code=two, roster=[pupil(7), pupil(8)], state="confirmed"),
        SealedSchool(code=three, roster=[]),
        SealedSchool(code=four, roster=None, state="empty"),
    ]


class SealedRound:
    """Schools under one seal, and the neighbour that serves them. Set `break_after` (bytes; one answer), `per_answer`
    (frames), `status` or `spoil` to make it misbehave."""

    def __init__(self, keys: Keys, schools: list[SealedSchool]) -> None:
        self.keys = keys
        self.schools = sorted(schools, key=lambda one: one.code)
        self.break_after: list[int] = []
        self.per_answer = 10**6
        self.status = 200
        self.spoil: Mapping[str, bytes] = {}
        self.asked: list[str] = []

    def seal(self, **wrong: Any) -> dict[str, Any]:
        leaves = [Leaf(school=s.code, state=s.state, sha256=s.sha256, pupils=s.pupils) for s in self.schools]
        counted = sum(s.pupils - len(s.not_counted) for s in self.schools if s.counted)
        extracts = [
            (s.code, s.sha256, canonical.digest(s.extract)) for s in self.schools if s.counted and s.sha256
        ]
        facts: dict[str, Any] = {
            "round": ROUND,
            "root": root_of(leaves),
            "schools": len(leaves),
            "pupils": sum(s.pupils for s in self.schools),
            "counted": counted,
            "closed_at": "2021-11-11T20:00:00+07:00",
            "manifest_sha256": "0" * 64,
            "format": canonical.FORMAT_VERSION,
            "extracts": extract.digest_of(extracts),
        }
        key, kid = self.keys.seal
        return sign(Seal(**(facts | wrong)).payload(), key, kid)

    def event(self, seal: dict[str, Any] | None = None) -> RoundSealed:
        statement = seal or self.seal()
        payload = statement["payload"]
        return RoundSealed(
            round=ROUND,
            closure="c1",
            revision=5,
            root=payload["root"],
            schools=payload["schools"],
            pupils=payload["pupils"],
            counted=payload["counted"],
            seal=statement,
        )

    def client(self) -> httpx.Client:
        app = Flask("snapshot")

        @app.get("/internal/v1/rounds/<name>/extracts")
        def extracts(name: str) -> Response:
            assert name == ROUND
            token = request.headers["Authorization"].removeprefix("Bearer ")
            assert verify(token, self.keys).subject == "service:export"
            self.asked.append(request.args["after"])
            return Response(self._stream(request.args["after"]), status=self.status)

        return httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://snapshot")

    def _stream(self, after: str) -> Iterator[bytes]:
        waiting = [one for one in self.schools if one.code > after][: self.per_answer]
        left = self.break_after.pop(0) if self.break_after else None
        for one in waiting:
            data = self.spoil.get(one.code, one.frame())
            if left is not None and len(data) > left:
                yield data[:left]
                return
            left = None if left is None else left - len(data)
            yield data
