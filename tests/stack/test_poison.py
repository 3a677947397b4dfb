"""An event that its consumer cannot take, on the running stack, and what an operator does about it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from deploy.rehearsal.deciding import confirm
from deploy.rehearsal.scenario import ROUND, wait_for
from tests.stack.conftest import Scene

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
POISON = """
INSERT INTO outbox (id, type, subject, time, about, document, awaiting)
SELECT gen_random_uuid(), type, subject, time, jsonb_set(about, '{round}', '"2599-1"'), document, '{snapshot}'
  FROM outbox WHERE type = 'intake.roster.accepted.v1' LIMIT 1
RETURNING id
"""
"""A roster of a round that nobody opened: the snapshot service refuses it however often it comes."""


def tool(scene: Scene, *words: str) -> str:
    """What an operator types, and what it prints."""
    return scene.stack.compose("run", "--rm", "tools", "dead-letters", *words)


def poisoned(scene: Scene) -> str:
    """The id of the event."""
    words = ("psql", "-XAtq", "-d", "tabian_intake", "-c", POISON)
    return scene.stack.compose("exec", "-T", "-u", "postgres", "postgres", *words).strip()


def row(scene: Scene, event: str) -> dict[str, Any]:
    """The event's outbox row."""
    found: dict[str, Any] = scene.ask("intake", f"SELECT to_json(o) FROM outbox o WHERE id = '{event}'")[0]
    return found


def replays(scene: Scene, event: str) -> int:
    """How often the letter that lies in the queue was put back; -1 while none lies there."""
    told = tool(scene, "show", event)
    if not re.search(r"^copies +1$", told, re.MULTILINE):
        return -1
    found = re.search(r"^replays +(\d+)$", told, re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_poison_is_parked_shown_replayed_and_discarded_while_the_rest_flows_on(scene: Scene) -> None:
    event = poisoned(scene)
    (code,) = scene.take(1)
    confirm(scene.stage, scene.people, code)
    wait_for(lambda: row(scene, event)["parked"] == ["snapshot"], "the poison parked")
    confirmed = f"SELECT state FROM submission WHERE round = '{ROUND}' AND school = '{code}'"
    wait_for(lambda: scene.ask("snapshot", confirmed) == ["confirmed"], "what came after it applied")

    assert [line.split("\t")[:3] for line in tool(scene, "list").splitlines()] == [
        [event, "snapshot", "intake.roster.accepted.v1"]
    ]
    assert row(scene, event)["reason"] == "RoundUnknown"
    assert replays(scene, event) == 0

    assert "replayed" in tool(scene, "replay", event)
    wait_for(lambda: row(scene, event)["parked"] == ["snapshot"], "the poison parked again")
    wait_for(lambda: replays(scene, event) == 1, "its letter lying there again")

    assert "discarded" in tool(scene, "discard", event, "--reason", "no round of ours")
    assert row(scene, event)["discarded"] == ["snapshot"]
    assert "nothing was given up" in tool(scene, "list")
    scene.wait_whole()
