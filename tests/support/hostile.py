"""Files and requests that go wrong, full of what belongs to a person: whatever fails over them must not say it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import xlsxwriter

from deploy.rehearsal.person import Person
from deploy.rehearsal.scenario import wait_for
from deploy.rehearsal.truth import SchoolTruth, load
from gateway.routes import ROUTES
from services.contracts.roster.canonical import canonicalise
from services.contracts.roster.fields import FIELDS
from services.intake.rules.catalogue_refusals import Unreadable
from services.intake.rules.reading import read
from services.kit.clock import set_clock
from tests.support.rosters import csv_file, national_id, pupil, roll
from tests.support.rounds import PASSWORD
from tests.support.supervised import Supervised

ID, NAME, SURNAME, BIRTH = national_id(7_654_321), "ซ่อนเร้น", "Confidential", "29/02/2557"
PHRASE = f"{NAME} {SURNAME} {ID}"
SECRETS = (ID, NAME, SURNAME, BIRTH, "2014-02-29")
ROUND = "2564-1"


def files(smis8: str) -> Iterator[tuple[str, bytes]]:
    """(file name, content) of a school's rosters, each wrong in a way of its own."""
    one = {"national_id": ID, "first_name_th": NAME, "last_name_th": SURNAME, "birth_date": BIRTH}
    plain = csv_file([pupil(1, smis8, **one)])
    yield "dates.csv", csv_file([pupil(n, smis8, **one | {"birth_date": day}) for n, day in enumerate(_DAYS)])
    yield (
        "columns.csv",
        csv_file([pupil(1, smis8, **one, grade=PHRASE, room=ID, sex=NAME, student_code=PHRASE)]),
    )
    yield "twice.csv", csv_file([pupil(1, smis8, **one)] * 3 + roll(2, 3, smis8))
    yield "cell.csv", csv_file([pupil(1, smis8, **one | {"first_name_th": PHRASE * 30_000})])
    yield "quotes.csv", plain.replace(NAME.encode(), f'"{NAME}'.encode())
    yield "ragged.csv", plain + (PHRASE + ",").encode() * 400
    yield "mixed.csv", plain + csv_file([pupil(2, smis8, **one)], "cp874")
    yield "half.csv", csv_file([pupil(1, smis8, **one)], "utf-16")[:-1]
    yield "nul.csv", plain.replace(SURNAME.encode(), SURNAME.encode() + b"\0")
    yield "marks.csv", plain.replace(SURNAME.encode(), f"{SURNAME}\u202e\ue000\x1b[2J".encode())
    yield "header.csv", plain.replace("ห้อง".encode(), PHRASE.encode())
    yield "cut.json", json.dumps({"students": [one]}, ensure_ascii=False)[:-9].encode()
    yield "types.json", json.dumps({"students": [one | {"sex": {PHRASE: [ID]}, "room": 10**400}]}).encode()
    yield "surrogate.json", json.dumps({"students": [one | {"last_name_th": SURNAME + "\ud800"}]}).encode()
    yield "deep.json", b'{"students": ' + b"[" * 60_000 + f'"{PHRASE}"'.encode() + b"]" * 60_000 + b"}"
    book = _workbook(smis8)
    yield "sheet.xlsx", _changed(book, b"<sheetData>", f"<sheetData><row r='x'>{PHRASE}&{ID};</c>".encode())
    yield "number.xlsx", _changed(book, b"<v>4321</v>", b"<v>1e400</v>")
    yield "strings.xlsx", _changed(book, b"<sst ", f"<sst count='{PHRASE}' ".encode())
    yield f"{PHRASE}.xlsx", book[: len(book) // 2]


_DAYS = (BIRTH, "99/99/9999", PHRASE, ID, "2014-02-29", "1e308", "=NOW()", "-1", "0" * 5000)


def _workbook(smis8: str) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for place, name in enumerate(
            ("รหัสโรงเรียน", "เลขประจำตัวประชาชน", "ชั้น", "ห้อง", "เพศ", "ชื่อ", "นามสกุล", "วันเกิด")
        ):
            sheet.write(0, place, name)
        for place, value in enumerate((smis8, ID, "ป.1", 4321, "ช", NAME, SURNAME, BIRTH)):
            sheet.write(1, place, value)
    return target.getvalue()


def _changed(package: bytes, old: bytes, new: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            made.writestr(name, source.read(name).replace(old, new))
    return target.getvalue()


def go_wrong(system: Supervised, nation: Path) -> None:
    """Open another round of the system, send all of it, wait until every file has met its end, and let the databases refuse
    what is sound."""
    schools = sorted(load(nation / "truth.json").schools.values(), key=lambda one: one.code)
    set_clock(system.folder / "clock.json", datetime.fromisoformat("2021-06-01T09:00:00+07:00"))
    with httpx.Client(base_url=system.address, timeout=30) as client:

        def person(name: str) -> Person:
            return Person(client, name, PASSWORD)

        hq, area = person("obec"), person(f"area-{schools[0].esa}")
        clerks = [person(f"clerk-{school.code}") for school in schools]
        hq.do("POST", "/api/v1/rounds", {"round": ROUND})
        place = _place(schools[0])
        wait_for(lambda: clerks[0].send("GET", place).status_code == 200, "the round is known")
        for name, content in files(schools[0].smis8):
            upload = clerks[0].upload(f"{place}/roster", content, name)
            assert upload["state"] in ("accepted", "rejected", "unchanged"), (name, upload)
        people = [hq, area, clerks[0], person(f"director-{schools[0].code}")]
        assert max(_requests(client, people, schools[0].code)) < 500
        _refuse_by_views(system, client, schools[1], clerks[1])
        _refuse_behind(system, schools[1], clerks[1])


def _place(school: SchoolTruth) -> str:
    return f"/api/v1/rounds/{ROUND}/schools/{school.code}"


def _sound(school: SchoolTruth) -> bytes:
    named = pupil(9, school.smis8, national_id=ID, first_name_th=NAME, last_name_th=SURNAME)
    return csv_file([*roll(1, 3, school.smis8), named])


def _refuse_by_views(system: Supervised, client: httpx.Client, school: SchoolTruth, clerk: Person) -> None:
    """PostgreSQL would quote the rows that intake and the portal may not write."""
    headers = {**clerk.bearer(), "X-Filename": quote(f"{PHRASE}.csv")}
    with _refusing(system, "intake", "upload"):
        answer = client.put(f"{_place(school)}/roster", content=_sound(school), headers=headers)
        assert answer.status_code == 500
    with _refusing(system, "portal", "attempt"):
        answer = client.post("/api/v1/tokens", json={"username": PHRASE, "password": PHRASE})
        assert answer.status_code == 500


def _refuse_behind(system: Supervised, school: SchoolTruth, clerk: Person) -> None:
    """The same to dedup's handler, until the message is given up, and to the job that checks."""
    with _refusing(system, "dedup", "holder"):
        clerk.upload(f"{_place(school)}/roster", csv_file(roll(20, 3, school.smis8)), "roll.csv")
        wait_for(lambda: system.output.count('"handler failed"') >= 3 or None, "a message is given up")
    with _refusing(system, "intake", "document"):
        clerk.send("PUT", f"{_place(school)}/roster", content=_sound(school))
        wait_for(lambda: '"job failed"' in system.output or None, "a job fails")


@contextmanager
def _refusing(system: Supervised, service: str, table: str) -> Iterator[None]:
    """No row can be written to this table meanwhile."""
    url = json.loads((system.folder / "databases.json").read_text())[service].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT refusing CHECK (false) NOT VALID".encode())
        yield
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT refusing".encode())


def personal_words(nation: Path) -> set[str]:
    """Every number, name, birth date and other text about a person that stands in the nation's rosters, as written and as
    kept; short ones are left out, for they are parts of other words."""
    keys = [
        field.key for field in FIELDS if field.sensitivity != "plain" and field.kind in ("id", "text", "date")
    ]
    words: set[str] = set()
    for file in (nation / "rosters").iterdir():
        try:
            typed = read(file.read_bytes()).frame
        except Unreadable:
            continue
        for frame in (typed, canonicalise(typed)):
            for key in set(keys) & set(frame.columns):
                words.update(frame[key].drop_nulls().unique())
    return {word for word in words if len(word) >= 6}


def _requests(client: httpx.Client, people: list[Person], school: str) -> list[int]:
    """Every route that takes a body, and every address, with what does not belong there; the statuses that were answered."""
    body = {name: PHRASE for name in ("sentence", "reason", "username", "password", "round", "act", PHRASE)}
    bodies = (
        json.dumps(body),
        json.dumps(body | {"sentence": PHRASE + "\0\ud800"}),
        json.dumps([PHRASE]),
        PHRASE,
    )
    answered = []
    for route in ROUTES:
        for named in (school, ID):
            path = (
                route.pattern.replace("{round}", ROUND)
                .replace("{school}", named)
                .replace("*", f"/{quote(PHRASE)}")
            )
            for person in people:
                for method in sorted(route.methods) or ["GET", "POST", "PUT", "PATCH", "DELETE"]:
                    sent = bodies[len(answered) % len(bodies)].encode()
                    answered.append(_sent(client, person, method, re.sub("/+", "/", path), sent))
    return answered


def _sent(client: httpx.Client, person: Person, method: str, path: str, body: bytes) -> int:
    headers = {
        **person.bearer(),
        "If-Match": f'"{ID}"',
        "X-Filename": quote(PHRASE),
        "Accept-Language": SURNAME,
        "Cookie": f"tabian={ID}",
        "X-Request-Id": ID,
    }
    return client.request(
        method, path, params={"q": PHRASE, "cursor": ID}, content=body, headers=headers
    ).status_code
