"""The checker over databases of more documents than it holds at once, and over a journal that it reads again and again; and
waiting until there is something to check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from deploy.rehearsal.checker import _PAGE, ByUrl, check, lost_promises, settled
from deploy.rehearsal.journal import Journal
from deploy.rehearsal.truth import Outline
from gateway.cli.yard import Yard
from gateway.stack.compose import Stack
from services.buildings.app import SERVICE as BUILDINGS
from services.contracts.roster.canonical import pack
from services.dedup.app import SERVICE as DEDUP
from services.export.app import SERVICE as EXPORT
from services.intake.app import SERVICE as INTAKE
from services.kit.service import Service
from services.snapshot.app import SERVICE as SNAPSHOT

DOCUMENTS = 2 * _PAGE + 1
EVENT = """
    INSERT INTO outbox (id, type, subject, time, about, awaiting, applied, published_at, next_send_at)
    VALUES (gen_random_uuid(), 'intake.roster.accepted.v1', '', now(), '{}', %s, '{}', %s, %s)
"""

UPLOAD = """
    INSERT INTO upload (id, round, school, filename, media_type, content, content_sha256, by, arrived_at)
    VALUES (gen_random_uuid(), '2564-2', '1066350177', '', '', '', '', '', now())
"""


@pytest.fixture
def databases(database_url: Callable[[Service], str]) -> ByUrl:
    five = (INTAKE, DEDUP, SNAPSHOT, BUILDINGS, EXPORT)
    return ByUrl({service.name: database_url(service).replace("+psycopg", "") for service in five})


def keep(databases: ByUrl, service: str, documents: dict[str, bytes]) -> None:
    extra = ", identified, pupils" if service == "intake" else ""
    given = ", '', 1" if extra else ""
    with psycopg.connect(databases.urls[service]) as connection, connection.cursor() as cursor:
        query = f"INSERT INTO document (sha256, body{extra}) VALUES (%s, %s{given})"
        cursor.executemany(query.encode(), list(documents.items()))


def documents() -> dict[str, bytes]:
    bodies = [b"roll %d\n" % number for number in range(DOCUMENTS)]
    return {hashlib.sha256(body).hexdigest(): pack(body) for body in bodies}


def test_every_document_is_looked_at_however_many_there_are(databases: ByUrl, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.touch()
    made = documents()
    spoilt = sorted(made)[_PAGE - 1 :: _PAGE]
    keep(databases, "intake", made)
    keep(
        databases, "snapshot", {sha: pack(b"other") if sha in spoilt else body for sha, body in made.items()}
    )
    found = check(journal, databases).lost
    assert found == [f"document {sha} at snapshot has other bytes than its name" for sha in spoilt]
    assert len(spoilt) == 2


def test_an_answer_of_any_kind_is_found_in_the_journal(databases: ByUrl, tmp_path: Path) -> None:
    journal, school = tmp_path / "journal.jsonl", "/api/v1/rounds/2564-2/schools/1066350177"
    answers = [
        ("PUT", f"{school}/roster", 202, {"upload": "u1"}),
        ("GET", "/api/v1/uploads/u1", 200, {"state": "accepted", "school": "1066350177", "sha256": "ab"}),
        ("POST", f"{school}/confirmation", 200, {"signature": "s" * 20, "act": "confirm"}),
        ("POST", "/api/v1/duplicates/c1/evidence", 200, {"case": "c1"}),
    ]
    lines = [{"method": m, "path": p, "who": "", "status": s, "sent": "", "got": g} for m, p, s, g in answers]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    verdict = check(journal, databases)
    assert verdict.accepted == 4
    assert verdict.lost == [
        "upload of 1066350177 (u1)",
        "version ab of 1066350177",
        f"confirm of 1066350177 ({'s' * 16})",
        "evidence on case c1",
    ]
    lost = lost_promises(journal, databases)
    assert [(one.school, one.what) for one in lost] == [("1066350177", "confirm"), ("1066350177", "upload")]


@pytest.mark.parametrize(
    ("awaiting", "published", "next_send", "over"),
    [
        ([], "2021-11-10", None, True),
        (["dedup"], "2021-11-10", "2021-11-10", False),
        (["dedup"], "2021-11-10", None, False),
        ([], None, None, False),
    ],
)
def test_it_is_settled_when_every_event_was_sent_and_applied(
    databases: ByUrl, awaiting: list[str], published: str | None, next_send: str | None, over: bool
) -> None:
    assert settled(databases)
    with psycopg.connect(databases.urls["export"]) as connection:
        connection.execute(EVENT.encode(), (awaiting, published, next_send))
    assert settled(databases) is over


def test_what_still_waits_is_waited_for(databases: ByUrl, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl") as journal:
        yard = Yard(Stack("none", tmp_path, 1), tmp_path, Outline({}), databases, journal, print)
        yard.await_checked(1)
        yard.settle(1)
        with psycopg.connect(databases.urls["intake"]) as connection:
            connection.execute(UPLOAD.encode())
            connection.execute(EVENT.encode(), (["dedup"], None, "2021-11-10"))
        with pytest.raises(TimeoutError, match="every roll checked"):
            yard.await_checked(0.2)
        with pytest.raises(TimeoutError, match="everything applied"):
            yard.settle(0.2)
