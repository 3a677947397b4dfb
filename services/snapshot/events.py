"""What snapshot hears: the register, rosters and states from intake, the parts of closing, packages from export.

In any order and more than once; closing itself is carried on by the job `advance-closings`.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from services.contracts.dedup import RoundSettled
from services.contracts.event import to_plain
from services.contracts.export import PackageBuilt
from services.contracts.intake import (
    AreaRegistered,
    ManifestSent,
    RoundFenced,
    SubmissionsChanged,
    SubmissionState,
)
from services.contracts.roster import canonical, extract
from services.kit import tracing
from services.kit.database import Transaction
from services.kit.logs import under
from services.kit.service import Arrival
from services.snapshot.rules.counts import COLUMNS_COUNTED, Row, cells_of, judged, summarise
from services.snapshot.rules.recounting import read_lines
from services.snapshot.tables import closings, documents, package, register, rounds, submission

log = logging.getLogger(__name__)
COLUMNS_READ = tuple(dict.fromkeys((*COLUMNS_COUNTED, *extract.FIELDS)))


class NotTheDocument(ValueError):
    """The bytes that came are not the document the event names."""


class RoundUnknown(ValueError):
    """An event of a round that was never opened here; snapshot alone opens rounds."""


def on_area_registered(event: AreaRegistered, tx: Transaction) -> None:
    register.keep_area(tx, event)


def on_rosters_accepted(arrivals: Sequence[Arrival], tx: Transaction) -> None:
    """Keep the documents, counted two ways for the round's age day. One that is here already changes nothing."""
    plans = {name: rounds.find_round(tx, name) for name in sorted({a.event.round for a in arrivals})}
    wanted: dict[date, dict[str, bytes]] = defaultdict(dict)
    for arrival in arrivals:
        plan = plans[arrival.event.round]
        if plan is None:
            raise RoundUnknown(arrival.event.round)
        wanted[plan.plan.age_day][arrival.event.sha256] = arrival.cause.document or b""
    for age_day in sorted(wanted):
        here = documents.counted(tx, age_day, wanted[age_day])
        _keep(
            tx, age_day, {sha: packed for sha, packed in sorted(wanted[age_day].items()) if sha not in here}
        )


def _keep(tx: Transaction, age_day: date, packed: dict[str, bytes]) -> None:
    """Raises NotTheDocument, NotCanonical, LinesDiffer."""
    bodies = {sha256: canonical.unpack(body) for sha256, body in packed.items()}
    for sha256, body in bodies.items():
        if canonical.digest(body) != sha256:
            raise NotTheDocument(sha256)
    rosters = canonical.decode_columns(list(bodies.values()), COLUMNS_READ)
    rows, extracts = judged(rosters, age_day), dict(zip(bodies, extract.of_many(rosters), strict=True))
    documents.keep(tx, packed, extracts)
    counted = [
        {
            "sha256": sha256,
            "age_day": age_day,
            **_counts(of_one),
            **_recounts(body, extracts[sha256], age_day),
        }
        for (sha256, body), of_one in zip(bodies.items(), rows, strict=True)
    ]
    documents.keep_counts(tx, counted)


def _counts(rows: Sequence[Row]) -> dict[str, Any]:
    summary = summarise(rows)
    return {
        "pupils": len(rows),
        "cells": summary.to_plain(),
        "line_cells": cells_of(rows, summary),
        "lines": [[row.line, row.reason] for row in rows if row.reason],
    }


def _recounts(body: bytes, extracted: bytes, age_day: date) -> dict[str, Any]:
    again = read_lines(body, extracted, age_day)
    return {"recounted": again.to_plain(), "line_recounted": again.numbers}


def on_submissions_changed(arrivals: Sequence[Arrival], tx: Transaction) -> None:
    """The newest state heard of each school; closing holds the manifest against it. Each goes on in the trace, and under the
    correlation id, of the request that brought it."""
    newest: dict[tuple[str, str], SubmissionState] = {}
    pieces: list[tracing.Piece] = []
    for arrival in arrivals:
        event: SubmissionsChanged = arrival.event
        for state in event.submissions:
            pieces.append(tracing.Piece("keep state", state.correlation, state.trace))
            held = newest.get((event.round, state.school))
            if held is None or held.revision < state.revision:
                newest[event.round, state.school] = state
    with tracing.spans("snapshot", "consumer", pieces):
        _keep_states(tx, newest)
    for piece in pieces:
        with under(piece.correlation, piece.traceparent):
            log.info("state heard", extra={"service": "snapshot"})


def _keep_states(tx: Transaction, newest: Mapping[tuple[str, str], SubmissionState]) -> None:
    """In order of school, so that two workers never wait for each other both ways."""
    if not newest:
        return
    told = ("revision", "state", "sha256")
    rows = [
        {"round": key[0], "school": key[1], **{name: getattr(newest[key], name) for name in told}}
        for key in sorted(newest)
    ]
    statement = insert(submission).values(rows)
    set_ = {name: statement.excluded[name] for name in told}
    newer = submission.c.revision < statement.excluded.revision
    keyed = ("round", "school")
    tx.execute(statement.on_conflict_do_update(index_elements=keyed, set_=set_, where=newer))


def on_round_fenced(event: RoundFenced, tx: Transaction) -> None:
    if closings.is_live(tx, event.round, event.closure):
        closings.keep_fence(tx, event)


def on_manifest_sent(event: ManifestSent, tx: Transaction) -> None:
    if closings.is_live(tx, event.round, event.closure):
        closings.keep_part(tx, event)


def on_round_settled(event: RoundSettled, tx: Transaction) -> None:
    if closings.is_live(tx, event.round, event.closure):
        closings.keep_settlement(tx, event)


def on_package_built(event: PackageBuilt, tx: Transaction) -> None:
    statement = insert(package).values(to_plain(event))
    tx.execute(statement.on_conflict_do_nothing())
