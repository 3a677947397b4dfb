"""Restarting a stack: who goes together, and when it is not begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.edge.pools import POOLS
from gateway.stack.compose import Container, Stack, StackFault
from gateway.stack.rolling import LEAVING, batches, roll

ROOT = Path(__file__).parents[2]


def containers(count: int, *services: str) -> list[Container]:
    return [
        Container(f"{name}-{n}", name, "running", "healthy", 0) for name in services for n in range(count)
    ]


class Standing(Stack):
    """A stack of these containers."""

    def containers(self) -> list[Container]:
        others = containers(1, "edge", "postgres", "rabbitmq", "intake-relay", "portal")
        return [*containers(2, *(pool.name for pool in POOLS if pool.name != "portal")), *others]


def test_of_each_service_one_goes_at_a_time_and_each_once() -> None:
    all_of_them = [*containers(2, "intake-api", "portal"), *containers(1, "intake-relay")]
    gone = list(batches(all_of_them))
    assert sorted(c.id for batch in gone for c in batch) == sorted(c.id for c in all_of_them)
    for batch in gone:
        assert len({c.service for c in batch}) == len(batch)


def test_the_file_that_is_made_is_the_one_that_processes_look_for() -> None:
    assert f"TABIAN_LEAVING: {LEAVING}\n" in (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def test_where_a_pool_has_one_process_nothing_is_touched(tmp_path: Path) -> None:
    with pytest.raises(StackFault, match=r"only one process of portal: .* --each 2"):
        roll(Standing("none", tmp_path, 1), lambda _: None)
