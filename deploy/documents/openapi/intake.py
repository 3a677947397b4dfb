"""Intake's interface: rosters, findings, and the acts of a round."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema

from deploy.documents.openapi.vocabulary import (
    ANYTHING,
    BOTH,
    CODED,
    COUNT,
    CSV,
    CURSOR,
    ESA,
    ETAG,
    FILE,
    FLAG,
    IF_MATCH,
    IF_MATCH_EARLIER,
    LOCATION,
    ROLE,
    SCHOOL,
    SHA256,
    TEXT,
    TICKET,
    TIME,
    UUID,
    WHOLE,
    WINDOW,
    Asked,
    Bytes,
    Gives,
    Interface,
    Operation,
    Shape,
    among,
    by_name,
    closed,
    gives,
    listed,
    or_none,
    query,
    ref,
)
from services.contracts.roster.fields import COLUMNS
from services.contracts.schema import object_of
from services.contracts.statements import Receipt
from services.intake import schemas
from services.intake.rules.states import STATES

_STATE: Final = among(*STATES)
_UPLOAD_STATE: Final = among("received", "checking", "accepted", "rejected", "failed", "late", "superseded")
_ACT: Final = among("confirm", "undo", "certify", "acknowledge", "cancel")
_CELLS: Final = listed(closed(grade=TEXT, sex=TEXT, pupils=COUNT))

SHAPES: Final[dict[str, Shape]] = {
    "Receipt": closed(
        payload={**object_of(Receipt), "description": "what is signed; `tabian verify` checks it offline"},
        kid=TEXT,
        alg=among("EdDSA"),
        signature=TEXT,
    ),
    "Act": closed(
        receipt=ref("Receipt"),
        submission=closed(state=_STATE, revision=WHOLE, sha256=or_none(SHA256), pupils=COUNT),
    ),
    "Upload": closed(
        upload=UUID,
        school=SCHOOL,
        round=TEXT,
        state=_UPLOAD_STATE,
        filename=TEXT,
        received_at=TIME,
        arrived_at=TIME,
        pupils=COUNT,
        counts={**by_name(COUNT), "description": "findings by severity; empty until it is checked"},
        reason=or_none(CODED),
        sha256=or_none(SHA256),
    ),
    "Accepted": closed(upload=UUID, state=_UPLOAD_STATE, location=TEXT),
    "Finding": closed(
        rule=TEXT,
        severity=among("error", "warning", "note"),
        row=or_none(COUNT),
        line=or_none(COUNT),
        field=TEXT,
        field_th=TEXT,
        th=TEXT,
        en=TEXT,
        fix_th=TEXT,
        fix_en=TEXT,
        key=TEXT,
        explained=or_none(TEXT),
    ),
    "SchoolLine": closed(
        school=SCHOOL,
        name=TEXT,
        esa=ESA,
        state=_STATE,
        pupils=COUNT,
        errors=COUNT,
        unexplained=COUNT,
        cases_open=COUNT,
        revision=WHOLE,
        sha256=or_none(SHA256),
        locked=FLAG,
    ),
    "OwnCase": closed(
        case=UUID,
        state=TEXT,
        decision=TEXT,
        answer=TEXT,
        sentence=TEXT,
        key=TEXT,
        pupil=or_none(by_name(or_none(TEXT))),
        others=listed(closed(school=SCHOOL, name=TEXT, esa=ESA)),
    ),
    "Submission": closed(
        school=SCHOOL,
        name=TEXT,
        esa=ESA,
        esa_name=TEXT,
        levels=TEXT,
        round=TEXT,
        state=_STATE,
        revision=WHOLE,
        sha256=or_none(SHA256),
        pupils=COUNT,
        counts=_CELLS,
        findings=closed(errors=COUNT, warnings=COUNT, unexplained=COUNT, notes=COUNT),
        blocks=listed(CODED),
        screening=or_none(closed(compared_with=COUNT, at=TIME)),
        upload=or_none(ref("Upload")),
        current_upload=or_none(UUID),
        cases=listed(ref("OwnCase")),
        acts=listed(
            closed(act=_ACT, by=TEXT, role=ROLE, at=TIME, sha256=or_none(SHA256), pupils=COUNT, reason=TEXT)
        ),
        windows=by_name(WINDOW),
        locked=FLAG,
        may=listed(TEXT),
        statement=BOTH,
    ),
}

_ONE: Final = "/api/v1/rounds/<round_name>/schools/<school>"
_TAKEN: Final = gives("kept; ask there what becomes of it", ref("Accepted"), LOCATION)
_ROSTER: Final = Bytes(
    "The file as the school's programme wrote it, gzip allowed (Content-Encoding).",
    {
        "text/csv": CSV,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": FILE,
        "application/json": {"type": "array", "items": ANYTHING},
        "application/octet-stream": FILE,
    },
)


def _act(body: type[Schema] | None, *asks: Asked) -> Operation:
    done = gives("done, or done before by the same person: the receipt", ref("Act"))
    return Operation(takes=body, asks=(*asks, TICKET), gives={200: done}, refuses=(403, 409))


OPERATIONS: Final[dict[str, Operation]] = {
    "PUT /api/v1/register": Operation(
        takes=Bytes("The list of schools, TSV.", {"text/tab-separated-values": FILE}),
        gives={
            200: gives(
                "what was read",
                closed(
                    areas=COUNT,
                    areas_changed=COUNT,
                    schools=COUNT,
                    faults=listed(closed(line=COUNT, code=TEXT, th=TEXT, en=TEXT)),
                ),
            )
        },
        refuses=(403, 422),
    ),
    "GET /api/v1/rounds/<round_name>/schools": Operation(
        asks=(
            query("esa", "only this area's schools", {"type": "string", "pattern": "^[0-9]{1,10}$"}),
            query("state", "only schools in this state", _STATE),
            query("cursor", "`next` of the page before", {"type": "string", "pattern": "^[0-9]{1,10}$"}),
            query("limit", "schools of a page", {"type": "integer", "minimum": 1, "maximum": 500}),
        ),
        gives={
            200: gives(
                "a page",
                closed(
                    schools=listed(ref("SchoolLine")),
                    next=CURSOR,
                    summary=closed(schools=COUNT, pupils=COUNT, by_state=by_name(COUNT)),
                ),
            )
        },
        refuses=(422,),
    ),
    f"GET {_ONE}": Operation(gives={200: gives("the submission", ref("Submission"))}),
    f"GET {_ONE}/receipts": Operation(
        gives={200: gives("oldest first", closed(receipts=listed(ref("Receipt"))))}
    ),
    f"PUT {_ONE}/roster": Operation(
        takes=_ROSTER,
        asks=(
            IF_MATCH_EARLIER,
            Asked(
                "X-Filename",
                "header",
                "the file's name, percent-encoded",
                {"type": "string", "pattern": "^[!-~]{0,200}$"},
            ),
        ),
        gives={202: _TAKEN},
        refuses=(403, 409, 415),
    ),
    f"GET {_ONE}/roster": Operation(
        asks=(
            query("version", "one that the school had before", SHA256),
            Asked("If-None-Match", "header", "the version that the client has"),
            Asked("Range", "header", "a part of it"),
        ),
        gives={
            200: Gives("canonical CSV; its SHA-256 is the entity tag", {"text/csv": CSV}, ETAG),
            206: Gives("a part of it", {"text/csv": CSV}, ETAG),
            304: Gives("the client has it", {}, ETAG),
        },
        refuses=(416,),
    ),
    f"GET {_ONE}/versions": Operation(
        gives={
            200: gives(
                "newest first", closed(versions=listed(closed(sha256=SHA256, revision=WHOLE, at=TIME)))
            )
        }
    ),
    f"GET {_ONE}/roster/students/<key>": Operation(
        gives={
            200: gives(
                "the pupil",
                closed(
                    key=TEXT,
                    line=COUNT,
                    values=closed(**dict.fromkeys(COLUMNS, or_none(TEXT))),
                    sha256=SHA256,
                ),
            )
        }
    ),
    f"PATCH {_ONE}/roster/students/<key>": Operation(
        takes=schemas.PupilEdit, asks=(IF_MATCH,), gives={202: _TAKEN}, refuses=(403, 409)
    ),
    f"DELETE {_ONE}/roster/students/<key>": Operation(
        asks=(IF_MATCH,), gives={202: _TAKEN}, refuses=(403, 409)
    ),
    f"POST {_ONE}/explanations": Operation(
        takes=schemas.Explanation,
        gives={200: gives("kept", closed(state=_STATE, unexplained=COUNT))},
        refuses=(403, 409),
    ),
    f"POST {_ONE}/confirmation": _act(schemas.Nothing, IF_MATCH),
    f"DELETE {_ONE}/confirmation": _act(None),
    f"POST {_ONE}/certification": _act(schemas.Certification, IF_MATCH),
    f"POST {_ONE}/acknowledgement": _act(schemas.Nothing, IF_MATCH),
    f"POST {_ONE}/cancellation": _act(schemas.Cancellation),
    "GET /api/v1/uploads/<upload_id>": Operation(gives={200: gives("the upload", ref("Upload"))}),
    "GET /api/v1/uploads/<upload_id>/findings": Operation(
        gives={
            200: Gives(
                "as JSON, or CSV for a spreadsheet where text/csv is preferred",
                {"application/json": closed(findings=listed(ref("Finding"))), "text/csv": CSV},
            )
        }
    ),
}

INTERFACE: Final = Interface(
    title="Tabian: intake",
    about="The register of schools; rosters and whether they can be read; findings; confirm, certify, acknowledge, cancel.",
    shapes=SHAPES,
    operations=OPERATIONS,
)
