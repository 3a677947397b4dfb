"""Intake on the bench with two schools of one area and an open round, and the people who work with it."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from services.contracts.snapshot import RoundOpened
from tests.support.bench import Bench
from tests.support.rosters import ROUND, csv_file, plan, roll
from tests.support.tokens import bearer

SCHOOL, OTHER, ESA = "1066350177", "1066350179", "6602"
REGISTER = (
    "province\tesa_code\tesa_name\tsmis8\tschool_id10\tname_th\tlevels_taught\n"
    f"พิจิตร\t{ESA}\tสพป.พิจิตร เขต 2\t66020001\t{SCHOOL}\tโรงเรียนหนึ่ง\tอนุบาล-ประถมศึกษา\n"
    f"พิจิตร\t{ESA}\tสพป.พิจิตร เขต 2\t66020003\t{OTHER}\tโรงเรียนสอง\tอนุบาล-ประถมศึกษา\n"
    "ตาก\t6301\tสพป.ตาก เขต 1\t63010001\t1063400001\tโรงเรียนไกล\tอนุบาล-ประถมศึกษา\n"
)
CONFIRM_DAY = "2021-11-10T09:00:00+07:00"
AREA_DAY = "2021-11-11T10:00:00+07:00"


class IntakeDesk:
    """Verbs instead of requests: what clerks, directors and officers do."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.hq = bearer(bench.keys, "hq", ("hq", "*"))
        self.clerk = bearer(bench.keys, "clerk", ("clerk", SCHOOL))
        self.director = bearer(bench.keys, "director", ("director", SCHOOL), stepped_up=True)
        self.area = bearer(bench.keys, "area", ("area", ESA))
        bench.client.put("/api/v1/register", data=REGISTER.encode(), headers=self.hq)
        bench.deliver(RoundOpened(round=ROUND, revision=1, plan=plan().to_plain()))

    def url(self, tail: str = "", school: str = SCHOOL) -> str:
        return f"/api/v1/rounds/{ROUND}/schools/{school}{tail}"

    def put(
        self, content: bytes, *, school: str = SCHOOL, who: dict[str, str] | None = None, **headers: str
    ) -> TestResponse:
        sent = {**(who or self.clerk), "X-Filename": "roll.csv", **headers}
        return self.bench.client.put(
            self.url("/roster", school), data=content, headers=sent, content_type="text/csv"
        )

    def upload(self, content: bytes | None = None) -> dict[str, Any]:
        """Send a file (default: three sound pupils), let it be checked, and return the upload."""
        answer = self.put(csv_file(roll(1, 3)) if content is None else content)
        assert answer.status_code == 202, answer.get_json()
        self.bench.jobs()
        upload: dict[str, Any] = self.get(answer.get_json()["location"])
        return upload

    def get(self, path: str, who: dict[str, str] | None = None) -> Any:
        return self.bench.client.get(path, headers=who or self.clerk).get_json()

    def school(self, who: dict[str, str] | None = None) -> Any:
        return self.get(self.url(), who)

    def act(self, tail: str, who: dict[str, str], *, sha256: str = "", **body: Any) -> TestResponse:
        """POST an act on the current version (or the one named)."""
        tag = sha256 or self.school(self.hq)["sha256"]
        return self.bench.client.post(self.url(tail), headers={**who, "If-Match": f'"{tag}"'}, json=body)

    def confirm(self, who: dict[str, str] | None = None) -> TestResponse:
        return self.act("/confirmation", who or self.clerk)

    def certify(self, who: dict[str, str] | None = None) -> TestResponse:
        statement = self.school(self.hq)["statement"]["th"]
        return self.act("/certification", who or self.director, statement=statement)
