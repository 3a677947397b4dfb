"""How long one school waits when nobody else does anything: from sending a roll until its page shows the new version,
what was found in it, and that it was compared with all other rolls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from deploy.rehearsal.load.caller import Call, Caller
from deploy.rehearsal.load.calls import Pass, page, roll
from deploy.rehearsal.truth import SchoolTruth

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PAUSE_SECONDS, _LONGEST_SECONDS = 0.02, 60.0


async def waits_alone(
    caller: Caller, nation: Path, schools: Iterable[SchoolTruth], passes: Pass, *, number: int
) -> list[float]:
    """Seconds that each of so many schools, one after the other, waited for its last file without the last pupil. Raises
    TimeoutError for one that waits in vain."""
    waited: list[float] = []
    for school in schools:
        if len(waited) == number:
            break
        shorter = _without_last(roll(nation, school, passes)) if school.uploads else None
        if shorter is not None:
            look = page(shorter.who, "clerk", school.code, passes)
            waited.append(await _seen(caller, shorter, look))
    return waited


def _without_last(call: Call) -> Call | None:
    """The roll with one line less; None for what is no text with a byte for a line's end, or has no line to spare."""
    lines = call.body.splitlines(keepends=True)
    if call.body.startswith((b"PK", *_UTF16)) or len(lines) < 10:
        return None
    return replace(call, body=b"".join(lines[:-1]))


async def _seen(caller: Caller, call: Call, look: Call) -> float:
    _, body = await caller.ask(look, caller.now())
    before, began = json.loads(body)["sha256"], caller.now()
    await caller.ask(call, began)
    while caller.now() - began < _LONGEST_SECONDS:
        _, body = await caller.ask(look, caller.now())
        shown = json.loads(body)
        if shown["sha256"] != before and shown["screening"]:
            return caller.now() - began
        await asyncio.sleep(_PAUSE_SECONDS)
    raise TimeoutError(f"nothing new to see of {call.who}'s file after {_LONGEST_SECONDS:.0f} s")
