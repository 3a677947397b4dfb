"""datapackage.json: what is in the package, as a Frictionless Data Package, with the seal it was made from.

A reader can check everything in it offline: bytes and hashes of the files, the seal by `tabian verify`, and each
school's document hash against the snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.export.rules.layout import SCHOOLS, STUDENTS, Column

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
FILE = "datapackage.json"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file as it was written: rows without the header, bytes, SHA-256 in hex."""

    name: str
    rows: int
    bytes: int
    sha256: str


def describe(
    *,
    package: str,
    round_name: str,
    label: Mapping[str, str],
    seal: Mapping[str, Any],
    schools: FileFacts,
    students: FileFacts,
    created: datetime,
) -> bytes:
    """The bytes of datapackage.json. `label`: the round's name in `th` and `en`; `seal`: the signed statement."""
    payload = seal["payload"]
    document = {
        "$schema": PROFILE,
        "name": f"edc-{round_name}",
        "id": package,
        "title": f"ข้อมูลส่งมอบศูนย์กลางข้อมูลการศึกษา (EDC): {label['th']}",
        "description": f"EDC package of the sealed round: {label['en']}. Holds personal data.",
        "created": created.isoformat(),
        "round": round_name,
        "snapshot": {
            "root": payload["root"],
            "schools": payload["schools"],
            "pupils": payload["pupils"],
            "counted": payload["counted"],
            "seal": dict(seal),
        },
        "resources": [
            _resource(schools, "schools", SCHOOLS, ["SchoolID_Onec"]),
            _resource(students, "students", STUDENTS, ["SchoolID_Onec", "RosterLine"], school=True),
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def _resource(
    facts: FileFacts, name: str, columns: Sequence[Column], key: list[str], *, school: bool = False
) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": [_field(column) for column in columns], "primaryKey": key}
    if school:
        reference = {"resource": "schools", "fields": ["SchoolID_Onec"]}
        schema["foreignKeys"] = [{"fields": ["SchoolID_Onec"], "reference": reference}]
    return {
        "name": name,
        "path": facts.name,
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\n", "quoteChar": '"', "doubleQuote": True},
        "bytes": facts.bytes,
        "hash": f"sha256:{facts.sha256}",
        "rows": facts.rows,
        "schema": schema,
    }


def _field(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": column.name,
        "type": column.kind,
        "title": column.th,
        "description": column.en,
    }
    if column.kind == "boolean":
        described |= {"trueValues": ["1"], "falseValues": ["0"]}
    if column.empty:
        described["constraints"] = {"maxLength": 0}
    return described
