"""deploy/k8s renders, is valid for the versions of Kubernetes it is meant for, and holds together: everything that is named is
there, nobody has a privilege, and the numbers fit the edge and PostgreSQL."""

from __future__ import annotations

import functools
import re

import jsonschema
import kubernetes_validate
import pytest

from gateway.edge.configuration import CLUSTER
from gateway.edge.pools import POOLS
from services.contracts.topology import topology
from services.kit.runtime import BACKGROUND_CONNECTIONS
from tests.architecture import tree
from tests.support.cluster import (
    COMPONENT,
    NAME,
    OVERLAYS,
    Document,
    container,
    environment,
    matches,
    of_kind,
    overlay,
    processes,
)
from tests.support.custom_resources import SHAPES

VERSIONS = ("1.32", "1.37")
"""The oldest version of Kubernetes that is meant, and the newest that is known."""
OPERATED = {"cnpg.io/cluster": "postgres"}, {NAME: "rabbitmq"}
"""Labels of the pods that the operators make."""
EDGE_NOTICES_SECONDS = 7
GUNICORN_ENDS_SECONDS = 25
OTHER_CONNECTIONS = 30
"""Of PostgreSQL: kept for superusers, standbys, the operator, backups, and migrations."""

each_overlay = pytest.mark.parametrize("name", OVERLAYS)


@functools.cache
def _validated(version: str, name: str) -> list[str]:
    """What Kubernetes of this version would refuse of an overlay; objects of operators are left out."""
    faults = []
    for document in overlay(name):
        if (document["apiVersion"], document["kind"]) in SHAPES:
            continue
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as fault:
            faults.append(f"{document['kind']} {document['metadata']['name']}: {fault.message}")
    return faults


@each_overlay
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object(version: str, name: str) -> None:
    assert _validated(version, name) == []


def test_a_field_in_the_wrong_place_is_found() -> None:
    (policy,) = [d for d in overlay("prod") if d["metadata"]["name"] == "nobody"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {**policy, "spec": policy["spec"] | {"egres": []}}, VERSIONS[0], strict=True
        )


@each_overlay
def test_the_operators_resources_have_their_shape(name: str) -> None:
    theirs = [d for d in overlay(name) if (d["apiVersion"], d["kind"]) in SHAPES]
    assert {d["kind"] for d in theirs} >= {"Cluster", "RabbitmqCluster", "ScaledObject"}
    for document in theirs:
        jsonschema.validate(document, SHAPES[document["apiVersion"], document["kind"]])


@each_overlay
def test_no_two_objects_have_a_name_and_all_are_in_the_namespace(name: str) -> None:
    named = [(d["kind"], d["metadata"]["name"]) for d in overlay(name)]
    assert len(set(named)) == len(named)
    assert {d["metadata"].get("namespace") for d in overlay(name) if d["kind"] != "Namespace"} == {"tabian"}


def _labels(documents: tuple[Document, ...]) -> list[dict[str, str]]:
    """Of every pod there will be."""
    return [pod["metadata"]["labels"] for pod in processes(documents).values()] + list(OPERATED)


@each_overlay
def test_every_selector_takes_somebody(name: str) -> None:
    documents = overlay(name)
    pods = _labels(documents)
    selectors = [
        d["spec"]["selector"] for d in documents if d["kind"] in ("PodDisruptionBudget", "PodMonitor")
    ]
    selectors += [{"matchLabels": d["spec"]["selector"]} for d in of_kind(documents, "Service").values()]
    for policy in of_kind(documents, "NetworkPolicy").values():
        rules = policy["spec"].get("ingress", []) + policy["spec"].get("egress", [])
        peers = [peer for rule in rules for peer in (*rule.get("from", ()), *rule.get("to", ()))]
        selectors += [policy["spec"]["podSelector"]]
        selectors += [peer["podSelector"] for peer in peers if "podSelector" in peer]
    lost = [selector for selector in selectors if not any(matches(selector, labels) for labels in pods)]
    assert lost == []


@each_overlay
def test_what_grows_is_there_and_grows_by_one_rule_only(name: str) -> None:
    documents = overlay(name)
    deployments = of_kind(documents, "Deployment")
    rules = [d for d in documents if d["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")]
    targets = [rule["spec"]["scaleTargetRef"]["name"] for rule in rules]
    assert sorted(targets) == sorted(set(targets) & set(deployments))
    fixed = {n for n, d in deployments.items() if "replicas" in d["spec"]}
    assert fixed.isdisjoint(targets), "applying it again would undo what the rule decided"
    assert fixed | set(targets) == set(deployments)


def _most(documents: tuple[Document, ...]) -> dict[str, int]:
    """Deployment → how many of it there may be."""
    most = {
        n: d["spec"]["replicas"]
        for n, d in of_kind(documents, "Deployment").items()
        if "replicas" in d["spec"]
    }
    for rule in of_kind(documents, "HorizontalPodAutoscaler").values():
        most[rule["spec"]["scaleTargetRef"]["name"]] = rule["spec"]["maxReplicas"]
    for rule in of_kind(documents, "ScaledObject").values():
        most[rule["spec"]["scaleTargetRef"]["name"]] = rule["spec"]["maxReplicaCount"]
    return most


@each_overlay
def test_every_worker_grows_with_the_queue_of_its_service(name: str) -> None:
    queues = {queue.name for queue in topology().queues}
    for target, rule in of_kind(overlay(name), "ScaledObject").items():
        first = rule["spec"]["triggers"][0]
        assert first["metadata"]["queueName"] == target.removesuffix("-worker") in queues
        allowed = of_kind(overlay(name), "TriggerAuthentication")[first["authenticationRef"]["name"]]
        (secret,) = allowed["spec"]["secretTargetRef"]
        assert secret["name"] == f"{first['metadata']['queueName']}.broker-url", "its own user, no other"


@each_overlay
def test_the_edge_has_a_place_for_every_process(name: str) -> None:
    most = _most(overlay(name))
    assert {pool.name: most[pool.name] for pool in POOLS if most[pool.name] > CLUSTER.most_processes} == {}
    assert most["edge"] <= CLUSTER.edges, "a third edge would give processes more than they have threads for"
    assert all(lane.at_once % CLUSTER.edges == 0 for pool in POOLS for lane in pool.lanes)


@each_overlay
def test_postgresql_has_a_connection_for_every_thread(name: str) -> None:
    documents = overlay(name)
    pods, most = processes(documents), _most(documents)
    needed = OTHER_CONNECTIONS
    for deployment in of_kind(documents, "Deployment"):
        kind = pods[deployment]["metadata"]["labels"][COMPONENT]
        at_once = most[deployment] + 1  # a roll-out starts the next before it ends the last
        if kind == "web":
            needed += at_once * int(environment(pods[deployment])["TABIAN_THREADS"])
        elif kind == "background":
            jobs = tree.service(deployment.rsplit("-", 1)[0]).jobs
            needed += at_once * (BACKGROUND_CONNECTIONS + len(jobs) + 1)  # and its bell
    given = of_kind(documents, "Cluster")["postgres"]["spec"]["postgresql"]["parameters"]["max_connections"]
    assert needed <= int(given)


@each_overlay
def test_nobody_has_a_privilege(name: str) -> None:
    for process, pod in processes(overlay(name)).items():
        spec, own = pod["spec"], container(pod)["securityContext"]
        assert spec["automountServiceAccountToken"] is False, process
        assert spec["enableServiceLinks"] is False, process
        assert spec["securityContext"]["runAsNonRoot"] is True, process
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, process
        assert own == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, process
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"projected", "emptyDir", "configMap", "persistentVolumeClaim"}, process


@each_overlay
def test_every_process_that_stays_is_asked_how_it_is(name: str) -> None:
    pods = processes(overlay(name))
    for process in of_kind(overlay(name), "Deployment"):
        labels, told = pods[process]["metadata"]["labels"], container(pods[process])
        if labels[COMPONENT] == "tools":
            continue
        assert "readinessProbe" in told, process
        assert "livenessProbe" in told, process
        if labels[COMPONENT] == "web":
            assert told["readinessProbe"]["httpGet"]["path"] == "/readyz", process
            assert told["livenessProbe"]["httpGet"]["path"] == "/healthz", (
                "the database's absence kills nobody"
            )


@pytest.mark.parametrize("pool", [pool.name for pool in POOLS])
def test_a_web_process_leaves_before_it_ends(pool: str) -> None:
    pod = processes(overlay("prod"))[pool]
    hooks = container(pod)["lifecycle"]
    leaving = environment(pod)["TABIAN_LEAVING"]
    *_, words = hooks["preStop"]["exec"]["command"]
    told = re.fullmatch(rf"touch {leaving} && sleep (\d+)", words)
    assert told is not None
    assert int(told[1]) > EDGE_NOTICES_SECONDS
    assert int(told[1]) + GUNICORN_ENDS_SECONDS < pod["spec"]["terminationGracePeriodSeconds"]
    assert hooks["postStart"]["exec"]["command"] == ["rm", "-f", leaving], "or it would never be ready again"
    strategy = of_kind(overlay("prod"), "Deployment")[pool]["spec"]["strategy"]["rollingUpdate"]
    assert strategy["maxUnavailable"] == 0


def test_of_each_pool_one_process_at_most_is_away_when_a_node_is_emptied() -> None:
    budgets = of_kind(overlay("prod"), "PodDisruptionBudget")
    assert set(budgets) == {pool.name for pool in POOLS} | {"edge"}
    for name, budget in budgets.items():
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["selector"] == {"matchLabels": {NAME: name}}


def test_in_production_nothing_runs_once_that_people_need() -> None:
    fewest = {
        rule["spec"]["scaleTargetRef"]["name"]: rule["spec"]["minReplicas"]
        for rule in of_kind(overlay("prod"), "HorizontalPodAutoscaler").values()
    }
    fewest |= {n: most for n, most in _most(overlay("prod")).items() if n == "edge" or n.endswith("-relay")}
    assert {name for name, count in fewest.items() if count < 2} == set()
    stores = {d["metadata"]["name"]: d["spec"] for d in overlay("prod") if d["kind"].endswith("Cluster")}
    assert stores["postgres"]["instances"] == stores["rabbitmq"]["replicas"] == 3
    assert stores["postgres"]["postgresql"]["synchronous"]["dataDurability"] == "required"
