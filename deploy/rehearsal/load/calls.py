"""The calls of a load, made from a synthetic nation: every school's last roll, and the acts of clerks and directors.

`passes` are the headers that say who asks, signed beforehand: a load of acts measures acts and no signing in.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from deploy.rehearsal.collecting import school_path
from deploy.rehearsal.load.caller import Call
from deploy.rehearsal.truth import SchoolTruth

Pass = Callable[[str, str, str], dict[str, str]]
"""(username, role, scope) → the headers of that person."""


def rolls(nation: Path, schools: Iterable[SchoolTruth], passes: Pass) -> Iterator[Call]:
    """Every school with pupils sends its last file."""
    for school in schools:
        if not school.uploads:
            continue
        who, file = f"clerk-{school.code}", nation / school.last.file
        headers = {**passes(who, "clerk", school.code), "X-Filename": urllib.parse.quote(file.name)}
        headers["Content-Type"] = "application/octet-stream"
        yield Call(who, "PUT", school_path(school.code, "/roster"), headers, file.read_bytes())


def confirmations(versions: dict[str, str], passes: Pass) -> Iterator[Call]:
    """Each school's clerk confirms the version (school → sha256)."""
    for code, sha256 in versions.items():
        who = f"clerk-{code}"
        headers = {**passes(who, "clerk", code), "If-Match": f'"{sha256}"'}
        yield Call(who, "POST", school_path(code, "/confirmation"), headers)


def certifications(versions: dict[str, str], statement: str, passes: Pass) -> Iterator[Call]:
    """Each school's director certifies the version with the statement."""
    body = json.dumps({"statement": statement}).encode()
    for code, sha256 in versions.items():
        who = f"director-{code}"
        headers = {**passes(who, "director", code), "If-Match": f'"{sha256}"'}
        headers["Content-Type"] = "application/json"
        yield Call(who, "POST", school_path(code, "/certification"), headers, body)
