"""What a chaos round is made of: shares that come to everything, crash points that exist, and the file that arms them."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

from gateway.cli.chaos import SHARES, ChaosSummary, share
from gateway.stack.crashes import Crash, arm, crashed, every_crash
from gateway.stack.mischief import every_mischief

ROOT = Path(__file__).parents[2]
SERVICES = [
    *("edge", "postgres", "rabbitmq", "prometheus", "alertmanager"),
    *("intake-api", "intake-worker", "intake-relay", "intake-migrate"),
]


def test_a_row_of_seeds_comes_to_every_kind_once() -> None:
    kinds = every_mischief(SERVICES)
    dealt = [kind for seed in range(3, 3 + SHARES) for kind in share(kinds, seed)]
    assert sorted(kind.name for kind in dealt) == sorted(kind.name for kind in kinds)


def test_one_shots_and_what_watches_are_left_alone_and_only_the_broker_forgets() -> None:
    kinds = every_mischief(SERVICES)
    assert not [kind for kind in kinds if kind.service.endswith(("-migrate", "prometheus", "alertmanager"))]
    for kind in ("alarm", "outage", "wipe"):
        assert [k.service for k in kinds if k.kind == kind] == ["rabbitmq"]
    assert {k.kind for k in kinds if k.service == "postgres"} == {"kill", "freeze", "restart"}


def test_every_crash_point_of_the_services_is_dealt() -> None:
    named = set()
    for file in (ROOT / "services").rglob("*.py"):
        named |= set(re.findall(r'(?<!def )crash_point\(f?"([^"]+)"\)', file.read_text(encoding="utf-8")))
    patterns = [re.compile(re.sub(r"\{[^}]*\}", "[a-z]+", name)) for name in named]
    dealt = {crash.point for crash in every_crash()}
    assert [p.pattern for p in patterns if not any(p.fullmatch(point) for point in dealt)] == []
    assert [point for point in dealt if not any(p.fullmatch(point) for p in patterns)] == []


def test_an_armed_stack_notes_what_it_died_at(tmp_path: Path) -> None:
    wanted = [Crash("intake-relay", "relay-before-mark"), Crash("export-worker", "export-before-commit")]
    over = json.loads(arm(tmp_path, wanted, random.Random(1)).read_text())["services"]
    assert set(over) == {"intake-relay", "export-worker"}
    told = over["export-worker"]["environment"]
    assert told["TABIAN_CRASH_AT"] == "export-before-commit:1"
    assert crashed(tmp_path) == []
    (tmp_path / "crashes" / Path(told["TABIAN_CRASH_LOG"]).name).write_text("export-before-commit\n")
    assert crashed(tmp_path) == [wanted[1]]


def test_one_fault_or_one_loss_is_not_sound() -> None:
    assert ChaosSummary().sound
    for name in ("lost", "doubled", "unexpected", "faults"):
        summary = ChaosSummary()
        getattr(summary, name).append("upload 1")
        assert not summary.sound
        assert "upload 1" in [*summary.plain()["what"], *summary.plain()["faults"]]
