"""Who may open a connection to whom, as the network policies of deploy/k8s say it when they are taken together."""

from __future__ import annotations

import functools

import pytest

from tests.support.cluster import COMPONENT, NAME, Document, matches, of_kind, overlay, processes, secrets

STORES = {
    "postgres": {"cnpg.io/cluster": "postgres"},
    "rabbitmq": {NAME: "rabbitmq", COMPONENT: "rabbitmq"},
}
"""The operators' pods, by their labels."""
WORLD, DNS = "world", "kube-system"
PORTS = (53, 443, 4318, 4369, 5432, 5672, 6443, 8000, 8081, 8405, 8443, 9090, 9100, 9187, 15672, 15692, 25672)


@functools.cache
def _pods() -> dict[str, dict[str, str]]:
    """Name → labels."""
    ours = {name: pod["metadata"]["labels"] for name, pod in processes(overlay("prod")).items()}
    return ours | STORES


def _component(name: str) -> str:
    return _pods()[name].get(COMPONENT, name)


def _allows(pod: str, direction: str, peers: str, other: str, port: int) -> bool:
    """Whether the policies that name this pod and direction let it through; where none does, everything is."""
    specs = [policy["spec"] for policy in of_kind(overlay("prod"), "NetworkPolicy").values()]
    said = [
        spec
        for spec in specs
        if direction.capitalize() in spec["policyTypes"] and matches(spec["podSelector"], _pods()[pod])
    ]
    return not said or any(
        _takes(rule, peers, other, port) for spec in said for rule in spec.get(direction, [])
    )


def _takes(rule: Document, peers: str, other: str, port: int) -> bool:
    """Whether a rule takes a pod, `world` or another namespace, on a port. One without peers takes all."""
    ports = [(p["port"], p.get("endPort", p["port"])) for p in rule["ports"]]
    if not any(first <= port <= last for first, last in ports):
        return False
    return peers not in rule or any(_is(peer, other) for peer in rule[peers])


def _is(peer: Document, other: str) -> bool:
    if "namespaceSelector" in peer:
        return matches(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other})
    return other in _pods() and matches(peer["podSelector"], _pods()[other])


def _sends(pod: str, other: str, port: int) -> bool:
    return _allows(pod, "egress", "to", other, port)


def _receives(pod: str, other: str, port: int) -> bool:
    return _allows(pod, "ingress", "from", other, port)


@functools.cache
def _connections() -> frozenset[tuple[str, str, int]]:
    """(who, to whom, port) of all that is let through among pods."""
    return frozenset(
        (who, whom, port)
        for who in _pods()
        for whom in _pods()
        for port in PORTS
        if _sends(who, whom, port) and _receives(whom, who, port)
    )


def _by_component() -> set[tuple[str, str, int]]:
    """The same by kind of process, but for the two that are let through by their name."""
    named = {"portal", "portal-sign-in", "snapshot-api", "export-worker"}
    special = {c for c in _connections() if {c[0], c[1]} <= named or (c[0] in named and c[1] == "edge")}
    return {(_component(who), _component(whom), port) for who, whom, port in _connections() - special}


def test_nobody_speaks_to_anybody_but_for_this() -> None:
    assert _by_component() == {
        ("edge", "web", 8000),
        *((kind, "postgres", 5432) for kind in ("web", "background", "migrate", "tools", "postgres")),
        ("postgres", "postgres", 8000),
        *((kind, "rabbitmq", 5672) for kind in ("background", "tools")),
        *(("rabbitmq", "rabbitmq", port) for port in (4369, 25672)),
    }


def test_the_portal_comes_in_by_the_inner_door_and_export_asks_snapshot() -> None:
    inner = {(who, port) for who, whom, port in _connections() if whom == "edge"}
    assert inner == {(who, port) for who in ("portal", "portal-sign-in") for port in (8081, 8443)}
    beside = {c for c in _connections() if c[1] == "snapshot-api" and c[0] != "edge"}
    assert beside == {("export-worker", "snapshot-api", 8000)}


@pytest.mark.parametrize("secret", ["database-url", "broker-url"])
def test_who_has_the_way_to_a_server_may_go_it_and_nobody_else(secret: str) -> None:
    server, port = {"database-url": ("postgres", 5432), "broker-url": ("rabbitmq", 5672)}[secret]
    pods = processes(overlay("prod"))
    hold = {n for n, pod in pods.items() if any(s.endswith(f".{secret}") for s in secrets(pod))} | {"tools"}
    assert {who for who, whom, at in _connections() if (whom, at) == (server, port)} - {server} == hold


def test_only_the_edge_is_reached_from_outside_and_only_stores_reach_out() -> None:
    assert {(pod, port) for pod in _pods() for port in PORTS if _receives(pod, WORLD, port)} == {
        ("edge", 8443)
    }
    assert {pod for pod in _pods() for port in PORTS if _sends(pod, WORLD, port)} == set(STORES)


def test_the_portal_alone_asks_what_watches() -> None:
    assert {pod for pod in _pods() if _sends(pod, "monitoring", 9090)} == {"portal", "portal-sign-in"}


def test_everybody_may_ask_for_names_and_be_asked_for_metrics() -> None:
    assert all(_sends(pod, DNS, 53) for pod in _pods())
    asked = {"edge": 8405, "postgres": 9187, "rabbitmq": 15692}
    stay = set(of_kind(overlay("prod"), "Deployment")) - {"tools"} | set(STORES)
    assert all(_receives(pod, "monitoring", asked.get(pod, 9100)) for pod in stay)


@pytest.mark.parametrize(
    ("operator", "store", "port"),
    [("cnpg-system", "postgres", 8000), ("rabbitmq-system", "rabbitmq", 15672), ("keda", "rabbitmq", 5672)],
)
def test_an_operator_reaches_what_it_looks_after(operator: str, store: str, port: int) -> None:
    reached = {(pod, at) for pod in _pods() for at in PORTS if _receives(pod, operator, at)}
    assert (store, port) in reached
    assert {pod for pod, at in reached if at != 8443} == {store}
