"""The buildings service's interface: the yearly inventory of one school, and how far the round is."""

from __future__ import annotations

from typing import Final

from deploy.documents.openapi.vocabulary import (
    COUNT,
    CURSOR,
    ESA,
    ETAG,
    IF_MATCH,
    LOCATION,
    SCHOOL,
    SHA256,
    TEXT,
    TIME,
    WHOLE,
    WINDOW,
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
from services.buildings.rules import STATES, USE_STATUS, Building
from services.buildings.schemas import CarrySchema, NothingSchema, RecordSchema, RetirementSchema
from services.contracts.schema import object_of

_STATE: Final = among(*STATES)
_SHOWN: Final[dict[str, Shape]] = {
    "school": SCHOOL,
    "name": TEXT,
    "esa": ESA,
    "esa_name": TEXT,
    "round": TEXT,
    "state": _STATE,
    "sha256": SHA256,
    "buildings": COUNT,
    "records": COUNT,
    "carried_from": or_none(TEXT),
    "window": WINDOW,
    "may": listed(among("record", "confirm", "undo")),
}
_RECORD: Final[dict[str, Shape]] = {
    **object_of(Building)["properties"],
    "use_status": among(*USE_STATUS),
    "age": WHOLE,
    "revision": COUNT,
    "type_th": TEXT,
    "use_status_th": TEXT,
    "use_status_en": TEXT,
}
SHAPES: Final[dict[str, Shape]] = {
    "Building": closed(**_RECORD),
    "Inventory": closed(**_SHOWN),
    "InventoryActs": closed(
        **_SHOWN,
        acts=listed(
            {
                **closed(act=TEXT, number=or_none(COUNT), by=TEXT, at=TIME),
                "additionalProperties": True,
            }
        ),
    ),
    "InventoryBuildings": {
        **closed(**_SHOWN),
        "properties": _SHOWN | {"buildings": listed(ref("Building"))},
    },
}

_SCHOOL: Final = "/api/v1/bobec/<round_name>/schools/<code>"
_ONE: Final = f"{_SCHOOL}/buildings/<int:number>"
_BUILDING: Final = gives("the record; the entity tag is its revision", ref("Building"), ETAG)
_INVENTORY: Final = {200: gives("the inventory; the entity tag names the list", ref("Inventory"), ETAG)}
_ESA: Final = query("esa", "only this area", {"type": "string", "pattern": "^[0-9]{1,10}$"})

OPERATIONS: Final[dict[str, Operation]] = {
    "GET /api/v1/bobec/<round_name>/schools": Operation(
        asks=(
            _ESA,
            query("state", "only inventories in this state", _STATE),
            query("cursor", "`next` of the page before", {"type": "string", "pattern": "^[0-9]{1,10}$"}),
            query("limit", "schools of a page", {"type": "integer", "minimum": 1, "maximum": 500}),
        ),
        gives={
            200: gives(
                "a page",
                closed(
                    schools=listed(
                        closed(
                            school=SCHOOL,
                            name=TEXT,
                            esa=ESA,
                            state=_STATE,
                            buildings=COUNT,
                            revision=WHOLE,
                            sha256=or_none(SHA256),
                        )
                    ),
                    next=CURSOR,
                    summary=closed(schools=COUNT, buildings=COUNT, by_state=by_name(COUNT)),
                ),
            )
        },
        refuses=(422,),
    ),
    "GET /api/v1/bobec/<round_name>/summary": Operation(
        asks=(_ESA,),
        gives={
            200: gives(
                "by type and condition",
                closed(
                    types=listed(
                        closed(type=TEXT, type_th=TEXT, condition=TEXT, buildings=COUNT, rooms=COUNT)
                    )
                ),
            )
        },
    ),
    f"GET {_SCHOOL}": Operation(gives={200: gives("the inventory and its acts", ref("InventoryActs"), ETAG)}),
    f"GET {_SCHOOL}/inventory": Operation(
        gives={
            200: Gives(
                "the bytes whose SHA-256 a confirmation names",
                {"application/json": listed(object_of(Building))},
                ETAG,
            )
        }
    ),
    f"GET {_SCHOOL}/buildings": Operation(gives={200: gives("the records", ref("InventoryBuildings"), ETAG)}),
    f"POST {_SCHOOL}/buildings": Operation(
        takes=RecordSchema,
        gives={201: gives("the new record", ref("Building"), ETAG | LOCATION)},
        refuses=(403, 409),
    ),
    f"GET {_ONE}": Operation(gives={200: _BUILDING}),
    f"PATCH {_ONE}": Operation(
        takes=RecordSchema(partial=True), asks=(IF_MATCH,), gives={200: _BUILDING}, refuses=(403, 409)
    ),
    f"POST {_ONE}/retirement": Operation(takes=RetirementSchema, gives={200: _BUILDING}, refuses=(403, 409)),
    f"POST {_SCHOOL}/carry-forward": Operation(
        takes=CarrySchema,
        gives={
            200: gives(
                "what was carried",
                closed(carried_from=or_none(TEXT), carried=COUNT, left_behind=listed(COUNT)),
            )
        },
        refuses=(403, 409),
    ),
    f"POST {_SCHOOL}/confirmation": Operation(
        takes=NothingSchema, asks=(IF_MATCH,), gives=_INVENTORY, refuses=(403, 409)
    ),
    f"DELETE {_SCHOOL}/confirmation": Operation(gives=_INVENTORY, refuses=(403, 409)),
}

INTERFACE: Final = Interface(
    title="Tabian: buildings",
    about="The yearly inventory of buildings and its confirmation.",
    shapes=SHAPES,
    operations=OPERATIONS,
)
