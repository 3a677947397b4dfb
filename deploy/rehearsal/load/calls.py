"""The calls of a load, made from a synthetic nation: every school's last roll, and the acts of clerks and directors.

`passes` are the headers that say who asks, signed beforehand: a load of acts measures acts and no signing in.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from deploy.rehearsal.collecting import OURS, SENTENCE, school_path
from deploy.rehearsal.load.caller import Call
from deploy.rehearsal.scenario import ROUND
from deploy.rehearsal.truth import SchoolTruth

Pass = Callable[[str, str, str], dict[str, str]]
"""(username, role, scope) → the headers of that person."""


def roll(nation: Path, school: SchoolTruth, passes: Pass) -> Call:
    """The school's clerk sends its last file."""
    who, file = f"clerk-{school.code}", nation / school.last.file
    headers = {**passes(who, "clerk", school.code), "X-Filename": urllib.parse.quote(file.name)}
    headers["Content-Type"] = "application/octet-stream"
    return Call(who, "PUT", school_path(school.code, "/roster"), headers, file.read_bytes())


def confirmation(code: str, sha256: str, passes: Pass) -> Call:
    """The school's clerk confirms the version."""
    who = f"clerk-{code}"
    headers = {**passes(who, "clerk", code), "If-Match": f'"{sha256}"'}
    return Call(who, "POST", school_path(code, "/confirmation"), headers)


def undoing(code: str, passes: Pass) -> Call:
    """The school's clerk takes the confirmation back."""
    who = f"clerk-{code}"
    return Call(who, "DELETE", school_path(code, "/confirmation"), passes(who, "clerk", code))


def certification(code: str, sha256: str, statement: str, passes: Pass) -> Call:
    """The school's director certifies the version with the statement."""
    who = f"director-{code}"
    headers = {**passes(who, "director", code), "If-Match": f'"{sha256}"'}
    headers["Content-Type"] = "application/json"
    body = json.dumps({"statement": statement}).encode()
    return Call(who, "POST", school_path(code, "/certification"), headers, body)


def page(who: str, role: str, code: str, passes: Pass) -> Call:
    """Somebody of the school opens its page."""
    return Call(who, "GET", school_path(code), passes(who, role, code))


def upload_state(code: str, upload: str, passes: Pass) -> Call:
    """The clerk asks how far the upload is."""
    who = f"clerk-{code}"
    return Call(who, "GET", f"/api/v1/uploads/{upload}", passes(who, "clerk", code))


def findings(code: str, upload: str, passes: Pass) -> Call:
    """The clerk opens what was found in the upload."""
    who = f"clerk-{code}"
    return Call(who, "GET", f"/api/v1/uploads/{upload}/findings", passes(who, "clerk", code))


def explanation(code: str, rule: str, key: str, passes: Pass) -> Call:
    """The clerk says why a warning is right as it stands."""
    said = {"rule": rule, "key": key, "sentence": SENTENCE}
    return _said(code, school_path(code, "/explanations"), said, passes)


def claim(code: str, case: str, passes: Pass) -> Call:
    """The clerk says that the pupil on two rolls is the school's."""
    return _said(code, f"/api/v1/duplicates/{case}/evidence", {"school": code, "sentence": OURS}, passes)


def progress(area: str, passes: Pass) -> Call:
    """An area officer opens the list of the area's schools."""
    who = f"area-{area}"
    return Call(who, "GET", f"/api/v1/rounds/{ROUND}/schools?esa={area}", passes(who, "area", area))


def report(passes: Pass) -> Call:
    """Headquarters opens the report of what is counted."""
    return Call("obec", "GET", f"/api/v1/rounds/{ROUND}/reports/counts", passes("obec", "hq", "*"))


def _said(code: str, path: str, said: dict[str, str], passes: Pass) -> Call:
    who = f"clerk-{code}"
    headers = {**passes(who, "clerk", code), "Content-Type": "application/json"}
    return Call(who, "POST", path, headers, json.dumps(said).encode())


def rolls(nation: Path, schools: Iterable[SchoolTruth], passes: Pass) -> Iterator[Call]:
    """Every school that sends anything sends its last file, read when it is its turn."""
    return (roll(nation, school, passes) for school in schools if school.uploads)


def confirmations(versions: dict[str, str], passes: Pass) -> Iterator[Call]:
    """Each school's clerk confirms the version (school → sha256)."""
    return (confirmation(code, sha256, passes) for code, sha256 in versions.items())


def certifications(versions: dict[str, str], statement: str, passes: Pass) -> Iterator[Call]:
    """Each school's director certifies the version with the statement."""
    return (certification(code, sha256, statement, passes) for code, sha256 in versions.items())
