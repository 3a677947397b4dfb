"""Snapshot's interface: the calendar, closing a round, the seal and what is counted."""

from __future__ import annotations

from typing import Final

from deploy.documents.openapi.vocabulary import (
    ANYTHING,
    COUNT,
    CURSOR,
    DAY,
    ESA,
    FILE,
    FLAG,
    LOCATION,
    SCHOOL,
    SHA256,
    TEXT,
    TIME,
    UUID,
    WHOLE,
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
from services.contracts.calendar import ACTIVITIES, ACTORS
from services.contracts.schema import object_of
from services.contracts.statements import Leaf, Seal
from services.snapshot import schemas
from services.snapshot.rules.counts import REASONS
from services.snapshot.rules.rates import CERTAINTIES, LEVELS

_ACTIVITY: Final = among(*sorted({key for keys in ACTIVITIES.values() for key in keys}))
_PHASES: Final = ("closing", "fenced", "settled", "compared", "sealed", "aborted")
_BAHT: Final = {"type": "integer"}
_REASONS: Final = closed(**dict.fromkeys(REASONS, COUNT))

SHAPES: Final[dict[str, Shape]] = {
    "Activity": closed(
        key=_ACTIVITY,
        th=TEXT,
        en=TEXT,
        who=listed(among(*ACTORS)),
        opens=TIME,
        closes=TIME,
        open=FLAG,
        certainty=among("letter", "inferred"),
        note=TEXT,
    ),
    "Round": closed(
        {"extensions": listed(closed(activity=_ACTIVITY, school=SCHOOL, until=TIME))},
        round=TEXT,
        kind=among(*ACTIVITIES),
        academic_year={"type": "integer", "description": "Buddhist era"},
        term=or_none(WHOLE),
        label_th=TEXT,
        label_en=TEXT,
        state=among("planned", "open", "closing", "sealed"),
        revision=WHOLE,
        count_day=DAY,
        now={**TIME, "description": "the round clock"},
        activities=listed(ref("Activity")),
        open_now=listed(_ACTIVITY),
    ),
    "Closure": closed(
        closure=UUID,
        round=TEXT,
        state=among(*_PHASES),
        since=TIME,
        by=TEXT,
        schools=or_none(COUNT),
        manifest_sha256=or_none(SHA256),
        awaiting=listed(closed(who=TEXT, th=TEXT, en=TEXT)),
        refusal=or_none(closed(code=TEXT, th=TEXT, en=TEXT, schools=listed(ANYTHING))),
        steps=listed(closed(step=among(*_PHASES), at=TIME)),
    ),
    "Seal": closed(payload=object_of(Seal), kid=TEXT, alg=among("EdDSA"), signature=TEXT),
    "Proof": closed(
        kind=TEXT,
        round=TEXT,
        school=SCHOOL,
        leaf=object_of(Leaf),
        index=COUNT,
        size=COUNT,
        path=listed(SHA256),
        seal=ref("Seal"),
    ),
    "BudgetLine": closed(
        level=among(*LEVELS),
        grade=TEXT,
        item=TEXT,
        item_th=TEXT,
        item_en=TEXT,
        heads=COUNT,
        rate=_BAHT,
        baht=_BAHT,
        certainty=among(*CERTAINTIES),
    ),
}

_ROUND: Final = "/api/v1/rounds/<round_name>"
_OF: Final = (
    query("school", "only this school", {"type": "string", "pattern": "^[0-9]{1,10}$"}),
    query("esa", "only this area", {"type": "string", "pattern": "^[0-9]{1,10}$"}),
)
_ROUND_SHOWN: Final = {200: gives("the round", ref("Round"))}
_CLOSURE: Final = gives("the attempt as it stands", ref("Closure"))

OPERATIONS: Final[dict[str, Operation]] = {
    "GET /api/v1/rounds": Operation(gives={200: gives("the rounds", closed(rounds=listed(ref("Round"))))}),
    f"GET {_ROUND}": Operation(gives=_ROUND_SHOWN),
    "POST /api/v1/rounds": Operation(
        takes=schemas.Opening,
        gives={
            200: gives("it is open already", ref("Round"), LOCATION),
            201: gives("it is open now", ref("Round"), LOCATION),
        },
        refuses=(403,),
    ),
    f"POST {_ROUND}/extensions": Operation(
        takes=schemas.Prolongation, gives=_ROUND_SHOWN, refuses=(403, 409)
    ),
    f"POST {_ROUND}/closure": Operation(takes=schemas.Nothing, gives={202: _CLOSURE}, refuses=(403, 409)),
    f"GET {_ROUND}/closure": Operation(gives={200: _CLOSURE}),
    f"DELETE {_ROUND}/closure": Operation(gives={200: _CLOSURE}, refuses=(403, 409)),
    f"GET {_ROUND}/snapshot": Operation(
        gives={
            200: gives(
                "the signed seal",
                closed(
                    {
                        "packages": listed(
                            closed(
                                package=UUID,
                                round=TEXT,
                                root=SHA256,
                                manifest_sha256=SHA256,
                                rows=COUNT,
                                at=TIME,
                            )
                        )
                    },
                    round=TEXT,
                    closure=UUID,
                    seal=ref("Seal"),
                ),
            )
        },
        refuses=(409,),
    ),
    f"GET {_ROUND}/snapshot/proofs/<school>": Operation(
        gives={200: gives("the proof; `tabian verify` checks it offline", ref("Proof"))}, refuses=(409,)
    ),
    f"GET {_ROUND}/reports/counts": Operation(
        asks=_OF,
        gives={
            200: gives(
                "counted + not counted = pupils",
                closed(
                    round=TEXT,
                    schools=COUNT,
                    pupils=COUNT,
                    counted=COUNT,
                    not_counted=_REASONS,
                    counts=listed(closed(grade=TEXT, sex=TEXT, pupils=COUNT)),
                ),
            )
        },
        refuses=(409,),
    ),
    f"GET {_ROUND}/reports/not-counted": Operation(
        asks=(
            *_OF,
            query("cursor", "`next` of the page before"),
            query("limit", "rows of a page", {"type": "integer", "minimum": 1, "maximum": 5000}),
        ),
        gives={
            200: gives(
                "a page",
                closed(
                    round=TEXT,
                    rows=listed(
                        closed(school=SCHOOL, name=TEXT, esa=ESA, reason=among(*REASONS), pupils=COUNT)
                    ),
                    totals=_REASONS,
                    next=CURSOR,
                ),
            )
        },
        refuses=(409,),
    ),
    f"GET {_ROUND}/budget": Operation(
        asks=_OF,
        gives={
            200: gives(
                "baht by line, and their sums",
                closed(
                    round=TEXT,
                    academic_year=WHOLE,
                    term=or_none(WHOLE),
                    payment=TEXT,
                    heads=COUNT,
                    heads_without_rate=COUNT,
                    baht=_BAHT,
                    by_certainty=by_name(_BAHT),
                    by_level=by_name(_BAHT),
                    by_item=by_name(_BAHT),
                    lines=listed(ref("BudgetLine")),
                ),
            )
        },
        refuses=(409,),
    ),
    "GET /internal/v1/rounds/<round_name>/extracts": Operation(
        asks=(
            query("after", "only schools after this code", {"type": "string", "pattern": "^[0-9]{0,10}$"}),
        ),
        gives={
            200: Gives(
                "frames: a JSON line, then as many bytes of the extract (zstd) as it says",
                {"application/octet-stream": FILE},
            )
        },
        refuses=(409,),
    ),
}

INTERFACE: Final = Interface(
    title="Tabian: snapshot",
    about="The calendar and its windows; closing a round; what is counted and why the rest is not; seal, proofs, budget.",
    shapes=SHAPES,
    operations=OPERATIONS,
)
