"""Enrolling people: from a CSV or one by one, with passwords made where none is given. Used by the CLI and by
embedded mode's demonstration accounts."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from gateway.portal import accounts
from gateway.portal.accounts import NotAnAccount
from gateway.portal.passwords import hash_password, make_password
from services.contracts.access import Grant
from services.kit.database import Database

_COLUMNS = {"username", "name", "role", "scope"}
_MOST_PEOPLE = 200_000


@dataclass
class Entry:
    """One person to be stored; `password` is empty until one is made."""

    username: str
    name: str
    grants: list[Grant] = field(default_factory=list)
    password: str = ""


def read_entries(file: Path) -> list[Entry]:
    """The people in a CSV; several rows of one username are one person with several grants.

    Raises NotAnAccount naming the line (never its content).
    """
    entries: dict[str, Entry] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if not set(rows.fieldnames or ()) >= _COLUMNS:
            raise NotAnAccount("หัวตารางต้องมี username,name,role,scope / the header lacks some of them")
        for row in rows:
            try:
                _take(entries, row)
            except NotAnAccount as problem:
                raise NotAnAccount(f"บรรทัด / line {rows.line_num}: {problem}") from problem
            if len(entries) > _MOST_PEOPLE:
                raise NotAnAccount(f"เกิน {_MOST_PEOPLE} คน / more than {_MOST_PEOPLE} people")
    return list(entries.values())


def _take(entries: dict[str, Entry], row: dict[str, str]) -> None:
    username = accounts.checked_username(row["username"] or "")
    entry = entries.setdefault(username, Entry(username, (row["name"] or "").strip() or username))
    grant = accounts.checked_grant((row["role"] or "").strip(), row["scope"] or "")
    if grant not in entry.grants:
        entry.grants.append(grant)
    entry.password = entry.password or (row.get("password") or "")


def store(database: Database, entries: list[Entry], *, replace: bool, jobs: int = 2) -> list[Entry]:
    """Hash and store; returns those stored, with their passwords: the only time a made one can be read."""
    for entry in entries:
        entry.password = entry.password or make_password()
    with ThreadPoolExecutor(jobs) as pool:  # argon2 lets go of the interpreter lock
        hashes = list(pool.map(hash_password, (entry.password for entry in entries)))
    with database.transaction() as tx:
        return [
            entry
            for entry, hashed in zip(entries, hashes, strict=True)
            if accounts.save(
                tx,
                username=accounts.checked_username(entry.username),
                name=entry.name,
                password_hash=hashed,
                grants=entry.grants,
                replace=replace,
            )
        ]
