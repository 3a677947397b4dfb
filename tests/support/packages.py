"""The export service on the bench, and what its tests do again and again: ask for a package, fetch its files."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from services.contracts.calendar import load
from services.contracts.intake import AreaRegistered, RegisteredSchool
from services.contracts.snapshot import RoundOpened
from services.export import tables
from services.export.app import SERVICE
from tests.support.bench import Bench
from tests.support.sealed_round import ROUND, SCHOOLS, SealedRound
from tests.support.tokens import bearer

CALENDAR = Path(__file__).parents[2] / "deploy" / "calendars" / "2564.toml"
A, B, C, D = SCHOOLS
URL = f"/api/v1/rounds/{ROUND}/exports"


def opening() -> RoundOpened:
    plan = next(plan for plan in load(CALENDAR) if plan.name == ROUND)
    return RoundOpened(round=ROUND, revision=1, plan=plan.to_plain())


def export_bench(bench: Callable[..., Bench], there: SealedRound) -> Bench:
    """The export service beside that neighbour; it knows the round's plan and the schools."""
    made = bench(SERVICE, parts={"snapshot": there.client()})
    made.deliver(opening())
    listed = tuple(
        RegisteredSchool(code=c, smis8=f"6602000{n}", name=f"บ้าน {n}", levels="ป", province="พิจิตร")
        for n, c in enumerate((A, B, C, D), start=1)
    )
    made.deliver(AreaRegistered(esa="6602", name="สพป.พิจิตร เขต 2", revision=1, schools=listed))
    return made


def hq(b: Bench) -> dict[str, str]:
    return bearer(b.keys, "hq", ("hq", "*"))


def built(b: Bench, there: SealedRound) -> dict[str, Any]:
    b.deliver(there.event())
    asked = b.client.post(URL, headers=hq(b))
    assert asked.status_code == 202, asked.text
    b.jobs()
    shown = b.client.get(asked.headers["Location"], headers=hq(b))
    assert shown.status_code == 200
    return dict(shown.json)


def fetch(b: Bench, package: dict[str, Any], name: str) -> bytes:
    with b.client.get(f"/api/v1/exports/{package['export']}/files/{name}", headers=hq(b)) as answer:
        assert answer.status_code == 200
        facts = next(one for one in package["files"] if one["name"] == name)
        digest = hashlib.sha256(answer.data).digest()
        assert digest.hex() == facts["sha256"]
        assert answer.headers["ETag"] == f'"{facts["sha256"]}"'
        assert answer.headers["Content-Digest"] == f"sha-256=:{base64.b64encode(digest).decode()}:"
        assert len(answer.data) == facts["bytes"]
        return answer.data


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def make_due(b: Bench) -> None:
    with b.database.transaction() as tx:
        tx.execute(sa.update(tables.export).values(due=sa.func.clock_timestamp()))


def problem(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.json["type"] == f"/problems/{code}"
    assert response.json["detail_th"]
    assert response.json["detail_en"]
