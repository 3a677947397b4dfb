"""Screening comes out the same whatever the order of the messages and how many are taken at once, with repeats."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from services.contracts.dedup import CaseChanged
from services.dedup.app import SERVICE
from services.dedup.tables import duplicate, holder, screened
from tests.support.bench import Bench
from tests.support.duplicates import (
    AREA,
    A,
    B,
    C,
    area,
    identified,
    key_of,
    opened,
    projection,
)


def end_state(b: Bench) -> dict[str, Any]:
    """All that must not depend on the order: who holds what, and every case that is not cleared."""
    d, h = duplicate.c, holder.c
    with b.database.transaction() as tx:
        held = tx.execute(sa.select(h.key, h.school, h.line).order_by(h.key, h.school)).all()
        rolls = tx.execute(sa.select(screened.c.school, screened.c.revision, screened.c.sha256)).all()
        cases = tx.execute(sa.select(d.key, d.state, d.decision, d.parties).where(d.state != "cleared")).all()
    return {
        "held": [tuple(row) for row in held],
        "rolls": sorted(tuple(row) for row in rolls),
        "cases": sorted((row.key, row.state, row.decision, str(row.parties)) for row in cases),
    }


def last_told(b: Bench) -> dict[tuple[str, str], dict[str, Any]]:
    """What intake would hold: per case and school the event of the greatest revision; cleared ones left out."""
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for event in b.published(CaseChanged):
        name = (event["case"], event["school"])
        if name not in latest or event["revision"] > latest[name]["revision"]:
            latest[name] = event
    return {name: event for name, event in latest.items() if event["state"] != "cleared"}


MESSAGES: list[tuple[object, bytes | None]] = [
    (area(AREA, A, B, C), None),
    (opened(), None),
    (identified(A, ["fah", "dao"], 1), projection(["fah", "dao"])),
    (identified(A, ["dao", "mok"], 2), projection(["dao", "mok"])),
    (identified(B, ["fah", "dao"], 1), projection(["fah", "dao"])),
    (identified(C, ["nok", "fah", "dao"], 1), projection(["nok", "fah", "dao"])),
    (identified(C, ["nok", "fah"], 2), projection(["nok", "fah"])),
]
EXPECTED = {"dao": [A, B], "fah": [B, C]}


def test_every_order_with_repeats_ends_in_one_state(bench: Callable[..., Bench]) -> None:
    """Every order of the five rolls (120), the register and the round somewhere among them, each message twice; taken
    one by one, three at once, or all."""
    b = bench(SERVICE)
    tables = "school, round, screened, identity_key, holder, duplicate, party, answer, ruling, outbox, inbox"
    ends = []
    for number, order in enumerate(itertools.permutations(MESSAGES[2:])):
        dice = random.Random(number)
        queue = list(order)
        for other in MESSAGES[:2]:
            queue.insert(dice.randint(0, len(queue)), other)
        ids = {id(message): f"{n:032x}" for n, message in enumerate(queue)}
        for repeated in queue[:]:
            queue.insert(dice.randint(queue.index(repeated) + 1, len(queue)), repeated)
        at_once = dice.choice([1, 3, len(queue)])
        for place, message in enumerate(queue, start=1):
            event, document = message
            b.queue(event, document=document, event_id=ids[id(message)])
            if place % at_once == 0:
                b.work()
        b.work()
        ends.append(end_state(b))
        shown = last_told(b)
        assert sorted((e["school"], len(e["parties"])) for e in shown.values()) == [
            (A, 2),
            (B, 2),
            (B, 2),
            (C, 2),
        ]
        with b.database.transaction() as tx:
            tx.execute(sa.text(f"TRUNCATE {tables}"))
    assert all(end == ends[0] for end in ends)
    assert {key: state for key, state, _, _ in ends[0]["cases"]} == {
        bytes.fromhex(key_of(pupil)): "open" for pupil in EXPECTED
    }
