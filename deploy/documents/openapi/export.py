"""Export's interface: the packages of sealed rounds."""

from __future__ import annotations

from typing import Final

from deploy.documents.openapi.vocabulary import (
    COUNT,
    CSV,
    ETAG,
    LOCATION,
    SHA256,
    TEXT,
    TIME,
    UUID,
    Asked,
    Gives,
    Interface,
    Operation,
    Shape,
    among,
    closed,
    gives,
    listed,
    or_none,
    ref,
)
from services.export.schemas import NothingSchema
from services.export.tables import BUILDING, BUILT, FAILED, QUEUED

SHAPES: Final[dict[str, Shape]] = {
    "Package": closed(
        export=UUID,
        round=TEXT,
        state=among(QUEUED, BUILDING, BUILT, FAILED),
        rows=or_none(COUNT),
        progress=closed(schools=COUNT, total=COUNT),
        files=listed(closed(name=TEXT, bytes=COUNT, sha256=SHA256, rows=or_none(COUNT))),
        error=or_none({"type": "object"}),
        requested_by=TEXT,
        requested_at=TIME,
        built_at=or_none(TIME),
    )
}
_ROUND: Final = "/api/v1/rounds/<round_name>/exports"
_ONE: Final = "/api/v1/exports/<uuid:export_id>"
_FILE: Final = {"text/csv": CSV, "application/json": {}}
_DIGEST: Final = ETAG | {"Repr-Digest": {"description": "RFC 9530, sha-256", "schema": TEXT}}

OPERATIONS: Final[dict[str, Operation]] = {
    f"GET {_ROUND}": Operation(gives={200: gives("newest first", closed(exports=listed(ref("Package"))))}),
    f"POST {_ROUND}": Operation(
        takes=NothingSchema,
        gives={202: gives("it is being built, or was", ref("Package"), LOCATION)},
        refuses=(409,),
    ),
    f"GET {_ONE}": Operation(gives={200: gives("how far it is", ref("Package"))}),
    f"GET {_ONE}/files/<name>": Operation(
        asks=(
            Asked("Range", "header", "a part of it"),
            Asked("If-None-Match", "header", "the version that the client has"),
        ),
        gives={
            200: Gives("the file", _FILE, _DIGEST),
            206: Gives("a part of it", _FILE, _DIGEST),
            304: Gives("the client has it", {}, ETAG),
        },
        refuses=(416,),
    ),
}

INTERFACE: Final = Interface(
    title="Tabian: export",
    about="The package of a sealed round for EDC, proved against the seal while it is written.",
    shapes=SHAPES,
    operations=OPERATIONS,
)
