"""Holds every answer the system gave (the journal) against all its databases: what was accepted must be there, applied
by every consumer, once, and nothing may be there that nobody asked for.

It shares no code with the services, only SQL and the standard library, so that a mistake of theirs is not also its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psycopg
import zstandard

SERVICES = ("intake", "dedup", "snapshot", "buildings", "export")
_PATH = re.compile(r"^/api/v1/rounds/[^/]+/schools/(?P<school>[^/]+)/(?P<act>[a-z]+)$")
UPLOAD = "upload"
_UPLOADS = "SELECT id FROM upload"
_RECEIPTS = "SELECT receipt ->> 'signature' AS signature FROM act"
_ACTS = {
    "confirmation": "confirm",
    "certification": "certify",
    "acknowledgement": "acknowledge",
    "cancellation": "cancel",
}

_DUE = "SELECT EXISTS (SELECT FROM outbox WHERE next_send_at IS NOT NULL)"
"""Has an index, so that asking it ten times a second costs the system nothing; _OPEN, which reads all, is asked at the end."""
_OPEN = "SELECT EXISTS (SELECT FROM outbox WHERE awaiting <> '{}' OR published_at IS NULL)"
_PAGE = 50
"""So many documents are in memory at once: each may have some megabytes."""


@dataclass(frozen=True, slots=True, order=True)
class Promise:
    """What somebody was answered: an upload that was taken (`sign` is its id), or an act (its receipt's signature)."""

    school: str
    what: str
    sign: str

    def __str__(self) -> str:
        return f"{self.what} of {self.school} ({self.sign[:16]})"


@dataclass
class Verdict:
    """`accepted`: answers that promised something; `applied`: (event, consumer) pairs applied. The lists name what is
    wrong, and are empty when all is well."""

    accepted: int = 0
    applied: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.unexpected)


class Databases(Protocol):
    """The five databases, asked with plain SQL; however they are reached."""

    def ask(self, service: str, query: str) -> Sequence[Sequence[Any]]:
        """The rows of the query; ids and hashes as text."""


@dataclass(frozen=True)
class ByUrl:
    """Databases that can be connected to."""

    urls: Mapping[str, str]

    def ask(self, service: str, query: str) -> Sequence[Sequence[Any]]:
        with psycopg.connect(self.urls[service].replace("+psycopg", "")) as connection:
            return connection.execute(query.encode()).fetchall()


def check(journal: Path, databases: Databases) -> Verdict:
    """The verdict on a finished rehearsal. The system may still run, but nobody may be at work."""
    verdict = Verdict()
    _check_uploads(verdict, databases, journal)
    _check_acts(verdict, databases, journal)
    _check_cases(verdict, databases, journal)
    _check_events(verdict, databases)
    _check_agreement(verdict, databases)
    return verdict


def settled(databases: Databases) -> bool:
    """Whether every event was applied or parked by now; until then a check would be too early."""
    return not any(databases.ask(service, query)[0][0] for query in (_DUE, _OPEN) for service in SERVICES)


def _lines(journal: Path) -> Iterator[dict[str, Any]]:
    """Read anew for every question: a nation's answers are too many to be held."""
    with journal.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def promises(journal: Path) -> set[Promise]:
    """Every upload that was taken and every act that has a receipt."""
    made = set()
    for line in _lines(journal):
        got, asked = line["got"], _PATH.match(line["path"])
        if asked and line["method"] == "PUT" and line["status"] == 202:
            made.add(Promise(asked["school"], UPLOAD, got["upload"]))
        elif asked and "signature" in got:
            made.add(Promise(asked["school"], got["act"], got["signature"]))
    return made


def lost_promises(journal: Path, databases: Databases) -> list[Promise]:
    """Those of which the system knows nothing any more, by school."""
    kept = {str(row[0]) for row in databases.ask("intake", _UPLOADS)}
    kept |= {row[0] for row in databases.ask("intake", _RECEIPTS)}
    return sorted(promise for promise in promises(journal) if promise.sign not in kept)


def _check_uploads(verdict: Verdict, databases: Databases, journal: Path) -> None:
    """Every 202 has its upload, every accepted version its document, byte for byte, at intake and at snapshot."""
    kept = {str(row[0]) for row in databases.ask("intake", _UPLOADS)}
    versions = {(row[0], row[1]) for row in databases.ask("intake", "SELECT school, sha256 FROM version")}
    documents = {service: _sound_documents(verdict, databases, service) for service in ("intake", "snapshot")}
    taken = {promise for promise in promises(journal) if promise.what == UPLOAD}
    accepted = {
        (line["got"]["school"], line["got"]["sha256"])
        for line in _lines(journal)
        if line["path"].startswith("/api/v1/uploads/") and line["got"].get("state") == "accepted"
    }
    verdict.accepted += len(taken) + len(accepted)
    verdict.lost += [str(upload) for upload in sorted(taken) if upload.sign not in kept]
    verdict.lost += [f"version {sha} of {school}" for school, sha in sorted(accepted - versions)]
    for service, held in documents.items():
        missing = {sha for _, sha in versions} - held
        verdict.lost += [f"document {sha} at {service}" for sha in sorted(missing)]
    twice = Counter(str(row[0]) for row in databases.ask("intake", "SELECT upload FROM version"))
    verdict.doubled += [f"upload {upload} became {n} versions" for upload, n in twice.items() if n > 1]


def _sound_documents(verdict: Verdict, databases: Databases, service: str) -> set[str]:
    held = set()
    for sha, body in _documents(databases, service):
        plain = zstandard.ZstdDecompressor().decompress(bytes.fromhex(body))
        if hashlib.sha256(plain).hexdigest() == sha:
            held.add(sha)
        else:
            verdict.lost.append(f"document {sha} at {service} has other bytes than its name")
    return held


def _documents(databases: Databases, service: str) -> Iterator[Sequence[Any]]:
    """(sha256, body as hex) of every document, some at a time."""
    after = ""
    while rows := databases.ask(
        service,
        "SELECT sha256, encode(body, 'hex') AS body FROM document"
        f" WHERE sha256 > '{after}' ORDER BY sha256 LIMIT {_PAGE}",
    ):
        yield from rows
        after = rows[-1][0]


def _check_acts(verdict: Verdict, databases: Databases, journal: Path) -> None:
    """Every receipt given out is kept once; every act that is kept was asked for."""
    kept = Counter(row[0] for row in databases.ask("intake", _RECEIPTS))
    given = {promise.sign: promise for promise in promises(journal) if promise.what != UPLOAD}
    verdict.accepted += len(given)
    verdict.lost += [str(act) for act in sorted(given.values()) if act.sign not in kept]
    verdict.doubled += [f"act {signature[:16]}" for signature, n in kept.items() if n > 1]
    unanswered = Counter(_asked(line) for line in _lines(journal) if line["status"] is None)
    acts = databases.ask("intake", "SELECT receipt ->> 'signature' AS signature, school, act FROM act")
    for signature, school, act in acts:
        if signature not in given and not unanswered[(school, act)]:
            verdict.unexpected.append(f"act {act} of {school}")
    signed = Counter((school, act) for _, school, act in acts)
    for (school, act), times in signed.items():
        taken_back = signed[(school, "undo")] + signed[(school, "cancel")]
        if act in _ACTS.values() and act != "cancel" and times > 1 + taken_back:
            verdict.doubled.append(f"{school} has {times} of {act}")


def _asked(line: dict[str, Any]) -> tuple[str, str]:
    match = _PATH.match(line["path"])
    if match is None:
        return ("", "")
    act = "undo" if line["method"] == "DELETE" else _ACTS.get(match["act"], "")
    return (match["school"], act)


def _check_cases(verdict: Verdict, databases: Databases, journal: Path) -> None:
    """Every answer and decision that was taken is kept; a key has one case."""
    answers = {str(row[0]) for row in databases.ask("dedup", 'SELECT "case" FROM answer')}
    rulings = {str(row[0]) for row in databases.ask("dedup", 'SELECT "case" FROM ruling')}
    for tail, held in (("evidence", answers), ("decision", rulings)):
        taken = {
            line["path"].split("/")[-2]
            for line in _lines(journal)
            if line["method"] == "POST" and line["path"].endswith(f"/{tail}") and line["status"] == 200
        }
        verdict.accepted += len(taken)
        verdict.lost += [f"{tail} on case {case}" for case in sorted(taken - held)]
    cases = "SELECT round, encode(key, 'hex') FROM duplicate GROUP BY 1, 2 HAVING count(*) > 1"
    verdict.doubled += [f"case of key {row[1][:8]}" for row in databases.ask("dedup", cases)]


def _check_events(verdict: Verdict, databases: Databases) -> None:
    """Every event reached every consumer; no consumer has one that nobody sent."""
    inboxes = {
        service: {str(row[0]) for row in databases.ask(service, "SELECT event_id FROM inbox")}
        for service in SERVICES
    }
    sent: set[str] = set()
    for service in SERVICES:
        rows = databases.ask(service, "SELECT id, type, awaiting, applied, parked FROM outbox")
        for event, kind, awaiting, applied, parked in rows:
            sent.add(str(event))
            verdict.applied += len(applied)
            verdict.lost += [f"{kind} {event} waits for {c}" for c in awaiting]
            verdict.lost += [f"{kind} {event} parked for {c}" for c in parked]
            verdict.lost += [f"{kind} {event} is not at {c}" for c in applied if str(event) not in inboxes[c]]
    for service, held in inboxes.items():
        verdict.unexpected += [f"event {event} at {service}" for event in sorted(held - sent)]


def _check_agreement(verdict: Verdict, databases: Databases) -> None:
    """Intake, dedup, snapshot and the seal name the same roster for every school."""
    own = dict(
        databases.ask(
            "intake", "SELECT (round, school)::text AS who, sha256 FROM submission WHERE sha256 <> ''"
        )
    )
    others = {
        "dedup": "SELECT (round, school)::text AS who, sha256 FROM screened WHERE sha256 <> ''",
        "snapshot": "SELECT (round, school)::text AS who, sha256 FROM submission WHERE sha256 <> ''",
    }
    for service, query in others.items():
        held = _pairs(databases.ask(service, query))
        verdict.lost += [
            f"{service} has another roster of {who}" for who, sha in own.items() if held.get(who) != sha
        ]
        verdict.unexpected += [f"{service} has a roster of {who}" for who in sorted(held.keys() - own.keys())]
    sealed = databases.ask(
        "snapshot", "SELECT (round, school)::text AS who, sha256 FROM sealed_school WHERE sha256 <> ''"
    )
    verdict.lost += [f"the seal has another roster of {who}" for who, sha in sealed if own.get(who) != sha]


def _pairs(rows: Sequence[Sequence[Any]]) -> dict[str, str]:
    return {row[0]: row[1] for row in rows}
