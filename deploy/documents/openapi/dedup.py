"""Dedup's interface: the cases of a pupil on two rolls."""

from __future__ import annotations

from typing import Final

from deploy.documents.openapi.vocabulary import (
    COUNT,
    CURSOR,
    ESA,
    SCHOOL,
    TEXT,
    TIME,
    UUID,
    WHOLE,
    Interface,
    Operation,
    Shape,
    among,
    closed,
    gives,
    listed,
    ref,
)
from services.dedup.rules.standing import NO_ANSWER, OURS, STATES
from services.dedup.schemas import DecisionSchema, EvidenceSchema, ListSchema

SHAPES: Final[dict[str, Shape]] = {
    "Case": closed(
        case=UUID,
        round=TEXT,
        state=among(*STATES),
        decision={"type": "string", "description": 'a school\'s code, "neither", or empty while undecided'},
        opened_at=TIME,
        revision=WHOLE,
        parties=listed(
            closed(
                school=SCHOOL,
                name=TEXT,
                esa=ESA,
                line=COUNT,
                answer=among(NO_ANSWER, OURS),
                sentence=TEXT,
            )
        ),
    )
}
_CASE: Final = {200: gives("the case as it stands now", ref("Case"))}

OPERATIONS: Final[dict[str, Operation]] = {
    "GET /api/v1/rounds/<round_name>/duplicates": Operation(
        asks=(ListSchema,),
        gives={200: gives("a page", closed(cases=listed(ref("Case")), next=CURSOR))},
        refuses=(422,),
    ),
    "POST /api/v1/duplicates/<uuid:case>/evidence": Operation(
        takes=EvidenceSchema, gives=_CASE, refuses=(403, 409)
    ),
    "POST /api/v1/duplicates/<uuid:case>/decision": Operation(
        takes=DecisionSchema, gives=_CASE, refuses=(403, 409)
    ),
}

INTERFACE: Final = Interface(
    title="Tabian: dedup",
    about="Whether one child stands on two rolls: cases, the schools' answers, the area's decision.",
    shapes=SHAPES,
    operations=OPERATIONS,
)
