"""Restarting every process of a running stack, a few at a time, so that somebody always answers.

A web process is first told to say that it is not ready; when the edge has seen it, it is restarted, and the next comes
when the edge sends to it again. Not here: PostgreSQL and RabbitMQ, of which there is one each, and what watches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from deploy.rehearsal.scenario import wait_for
from gateway.edge.pools import POOLS
from gateway.stack.compose import WATCH, Container, Stack, StackFault, docker, runs

LEAVING = "/tmp/leaving"
"""TABIAN_LEAVING in docker-compose.yml; gone with the container's memory when it starts again."""
SEEN_SECONDS = 30.0
BACK_SECONDS = 120.0
AT_ONCE = 4
_METRICS = r"exec 3<>/dev/tcp/127.0.0.1/8405; printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3; cat <&3"
_ACTIVE = re.compile(r'^haproxy_backend_active_servers\{proxy="([a-z-]+)"\} (\d+)$', re.MULTILINE)
_STORES = ("postgres", "rabbitmq")


def roll(stack: Stack, say: Callable[[str], None]) -> None:
    """Restart every process, the edge by a reload that keeps its connections. Raises StackFault, before anything is
    touched, where a pool has one process only: it would be away meanwhile."""
    running = [c for c in stack.running() if c.service not in (*_STORES, *WATCH, "edge")]
    pools = {pool.name for pool in POOLS}
    alone = sorted(name for name in pools if sum(c.service == name for c in running) < 2)
    if alone:
        raise StackFault(
            f"only one process of {', '.join(alone)}: it would be away while it restarts. "
            "Start a second one first, for instance by `tabian stack up --each 2`"
        )
    for number, batch in enumerate(batches(running), 1):
        say(f"  {number}: {', '.join(c.service for c in batch)}")
        _restart(stack, batch, pools)
    docker("kill", "--signal", "HUP", *(c.id for c in stack.running("edge")))
    say("  edge")


def active(stack: Stack) -> dict[str, int]:
    """Pool → processes the edge sends to."""
    told = stack.compose("exec", "-T", "edge", "bash", "-c", _METRICS)
    return {name: int(count) for name, count in _ACTIVE.findall(told)}


def batches(running: list[Container]) -> Iterator[list[Container]]:
    """The first container of every service, then the second, …"""
    left = sorted(running, key=lambda c: (c.service, c.id))
    while left:
        batch = [c for at, c in enumerate(left) if c.service not in {other.service for other in left[:at]}]
        yield batch
        left = [c for c in left if c not in batch]


def _restart(stack: Stack, batch: list[Container], pools: set[str]) -> None:
    before = active(stack)
    web = [c for c in batch if c.service in pools]
    for container in web:
        docker("exec", container.id, "touch", LEAVING)
    less = {c.service: before[c.service] - 1 for c in web}
    wait_for(lambda: _has(stack, less, at_most=True), "the edge seeing who leaves", SEEN_SECONDS)
    with ThreadPoolExecutor(AT_ONCE) as hands:
        list(hands.map(lambda c: docker("restart", "--time", "30", c.id), batch))
    wait_for(lambda: all(runs(c) for c in batch), "all back", BACK_SECONDS)
    wait_for(lambda: _has(stack, less, at_most=False), "the edge seeing who is back", BACK_SECONDS)


def _has(stack: Stack, bound: dict[str, int], *, at_most: bool) -> bool:
    now = active(stack)
    return all(now[name] <= n if at_most else now[name] > n for name, n in bound.items())
