"""deploy/k8s runs what docker-compose.yml runs: the same processes with the same commands, settings, secrets and limits. Where the
two differ it stands here, with the reason."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.stack.cluster import make_cluster_secrets
from tests.architecture import tree
from tests.support.cluster import (
    FOLDER,
    OVERLAYS,
    container,
    environment,
    matches,
    of_kind,
    overlay,
    processes,
    rendered,
    secrets,
    secrets_used,
)

OTHERWISE = {
    "postgres": "a Cluster of CloudNativePG",
    "rabbitmq": "a RabbitmqCluster of its operator",
}
"""Containers of compose that are no Deployment and no Job, and what stands for them."""
ELSEWHERE = {
    "prometheus": "the cluster's own: overlays/prod/watched.yaml tells it whom to ask",
    "alertmanager": "the cluster's own",
    "grafana": "the cluster's own",
    "archive": "PostgreSQL's operator: overlays/prod/backup.yaml",
    "restore": "the same",
}
"""Containers of compose that are the cluster's to have."""
SETTINGS = {"TABIAN_CLOCK_FILE": "only a rehearsal has another clock than the real one"}
"""Settings of compose that a cluster has not."""
OWN_SETTINGS = {
    "export-worker": {"TABIAN_DISKS": "/var/lib/tabian"},
    "portal": {"TABIAN_PROMETHEUS_URL": "http://prometheus-operated.monitoring.svc:9090"},
}
"""Settings that differ: PostgreSQL's disks are its operator's to tell, and Prometheus is the cluster's own."""
TRACES = [{"configMapRef": {"name": "traces", "optional": True}}]
"""For what compose hands on where its own environment has it: OpenTelemetry's settings."""
MEMORY = {
    "edge": "a few thousand people more than on one machine (`connections` in gateway/edge/configuration.py)"
}
"""Whose limit of memory differs."""
OWN_MACHINE = {
    "max_slot_wal_keep_size",
    "max_connections",
    "shared_buffers",
    "effective_cache_size",
    "max_wal_size",
}
"""Settings of PostgreSQL that belong to the size of its machine."""
OWN_NODES = {
    "load_definitions": "where the operator's pods have room for it",
    "vm_memory_high_watermark.absolute": "the size of a node",
    "raft.wal_max_size_bytes": "the size of a node",
    "disk_free_limit.absolute": "the size of a disk",
    "log.console": "the operator says it",
    "quorum_queue.continuous_membership_reconciliation.enabled": "one node has nobody to reconcile",
    "quorum_queue.continuous_membership_reconciliation.target_group_size": "the same",
}
"""Settings of RabbitMQ that differ."""
FROM_OUTSIDE = {"backup"}
"""Secrets that are not ours to make: where backups lie."""
UNITS = {"m": 1, "g": 1024, "Mi": 1, "Gi": 1024}


@functools.cache
def compose() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load(tree.text_of(Path("docker-compose.yml")))["services"]
    return services


OURS = sorted(name for name, said in compose().items() if said["image"] == "tabian:local")


def _secrets(said: dict[str, Any]) -> list[tuple[str, str]]:
    """(secret, name of its file in the container)."""
    return [(s, s) if isinstance(s, str) else (s["source"], s["target"]) for s in said.get("secrets", [])]


def _mebibytes(text: str) -> int:
    found = re.fullmatch(r"(\d+)([a-zA-Z]+)", text)
    assert found is not None
    return int(found[1]) * UNITS[found[2]]


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_same_processes(name: str) -> None:
    assert set(processes(overlay(name))) == set(compose()) - set(OTHERWISE) - set(ELSEWHERE)
    stores = {d["metadata"]["name"] for d in overlay(name) if d["kind"] in ("Cluster", "RabbitmqCluster")}
    assert stores == set(OTHERWISE)


@pytest.mark.parametrize("name", OURS)
def test_the_same_command_settings_and_secrets(name: str) -> None:
    pod, said = processes(overlay("base"))[name], compose()[name]
    assert container(pod).get("args") == said.get("command")
    handed_on = {key for key, value in said["environment"].items() if value is None}
    assert bool(handed_on) == (container(pod).get("envFrom") == TRACES)
    told = {key: value for key, value in said["environment"].items() if key not in {*SETTINGS, *handed_on}}
    told |= OWN_SETTINGS.get(name, {})
    told |= (
        {"TABIAN_LOG_LEVEL": "INFO"} if "TABIAN_LOG_LEVEL" in told else {}
    )  # compose: ${TABIAN_LOG_LEVEL:-INFO}
    assert environment(pod) == told
    assert sorted(secrets(pod)) == sorted(secret for secret, _ in _secrets(said))


@pytest.mark.parametrize("name", [name for name in OURS if "mem_limit" in compose()[name]] + ["edge"])
def test_the_same_limit_of_memory(name: str) -> None:
    given = container(processes(overlay("base"))[name])["resources"]["limits"]["memory"]
    same = _mebibytes(given) == _mebibytes(compose()[name]["mem_limit"])
    assert same != (name in MEMORY)


def test_who_writes_files_shares_them() -> None:
    def of_compose(said: dict[str, Any]) -> bool:
        return any(str(volume).startswith("export-data:") for volume in said.get("volumes", []))

    sharing = {
        name
        for name, pod in processes(overlay("base")).items()
        if any(v.get("persistentVolumeClaim") for v in pod["spec"]["volumes"])
        and {"name": "data", "mountPath": "/var/lib/tabian"} in container(pod)["volumeMounts"]
    }
    assert sharing == {name for name, said in compose().items() if of_compose(said)}


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_address_that_a_setting_names_is_a_service(name: str) -> None:
    services = of_kind(overlay(name), "Service")
    for process, pod in processes(overlay(name)).items():
        for value in environment(pod).values():
            found = re.fullmatch(r"(?:http://)?([a-z-]+):(\d+)", value)
            ports = {port["port"] for port in services[found[1]]["spec"]["ports"]} if found else set()
            assert not found or int(found[2]) in ports, process


def test_the_edge_reads_the_same_files_in_the_same_places() -> None:
    pod, said = processes(overlay("base"))["edge"], compose()["edge"]
    assert container(pod)["image"] == said["image"]
    assert sorted(secrets(pod)) == sorted(said["secrets"])
    (kept,) = [d for d in overlay("base") if d["kind"] == "ConfigMap"]
    places = {str(volume).split(":")[1] for volume in said["volumes"]}
    (mount,) = [m for m in container(pod)["volumeMounts"] if m["name"] == "configuration"]
    assert places == {f"{mount['mountPath']}/{file}" for file in kept["data"]}
    assert kept["data"]["haproxy.cfg"] == tree.text_of(FOLDER / "base/edge/haproxy.cfg")


def _postgres() -> dict[str, str]:
    return dict(re.findall(r"-c (\w+)=(\S+)", compose()["postgres"]["command"]))


def test_postgresql_is_told_the_same() -> None:
    spec = of_kind(overlay("base"), "Cluster")["postgres"]["spec"]
    here = spec["postgresql"]["parameters"]
    assert {k: v for k, v in here.items() if k not in OWN_MACHINE} == {
        k: v for k, v in _postgres().items() if k not in OWN_MACHINE
    }
    assert compose()["postgres"]["image"] == f"postgres:{spec['imageCatalogRef']['major']}"


def test_the_small_overlay_is_as_small_as_compose() -> None:
    here = of_kind(overlay("dev"), "Cluster")["postgres"]["spec"]["postgresql"]["parameters"]
    assert here == {name: value for name, value in _postgres().items() if name != "max_slot_wal_keep_size"}
    small, ours = _broker(_additional("dev")), _broker(tree.text_of(Path("deploy/rabbitmq/rabbitmq.conf")))
    assert small | {"load_definitions": ""} == ours | {"load_definitions": ""}


@pytest.mark.parametrize("name", tree.ALL)
def test_each_database_is_its_roles_alone(name: str) -> None:
    spec = of_kind(overlay("base"), "Cluster")["postgres"]["spec"]
    first = spec["bootstrap"]["initdb"]
    said = [*first["postInitSQL"], *first["postInitApplicationSQL"]]
    assert f"REVOKE ALL ON DATABASE tabian_{name} FROM PUBLIC" in said
    made = f"CREATE DATABASE tabian_{name} OWNER {name} TEMPLATE template0" in said
    assert made != ((first["database"], first["owner"]) == (f"tabian_{name}", name))
    (role,) = [role for role in spec["managed"]["roles"] if role["name"] == name]
    assert role["passwordSecret"] == {"name": f"{name}.password"}


def _additional(name: str) -> str:
    text: str = of_kind(overlay(name), "RabbitmqCluster")["rabbitmq"]["spec"]["rabbitmq"]["additionalConfig"]
    return text


def _broker(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.]+) = (.+)$", text, re.MULTILINE))


def test_rabbitmq_is_told_the_same() -> None:
    here, ours = _broker(_additional("base")), _broker(tree.text_of(Path("deploy/rabbitmq/rabbitmq.conf")))
    assert {k for k in here.keys() | ours.keys() if here.get(k) != ours.get(k)} == set(OWN_NODES)
    assert (
        of_kind(overlay("base"), "RabbitmqCluster")["rabbitmq"]["spec"]["image"]
        == compose()["rabbitmq"]["image"]
    )


def test_rabbitmqs_log_is_full_before_its_memory_is() -> None:
    here = _broker(_additional("base"))
    alarm = int(here["vm_memory_high_watermark.absolute"].removesuffix("GB")) * 1_000_000_000
    assert 3 * int(here["raft.wal_max_size_bytes"]) <= alarm
    memory = of_kind(overlay("base"), "RabbitmqCluster")["rabbitmq"]["spec"]["resources"]["limits"]["memory"]
    assert alarm <= _mebibytes(memory) * 1024 * 1024 / 2


def _asked(config: dict[str, Any]) -> dict[str, tuple[object, ...]]:
    """Job → path, parameters and what is dropped, of compose's Prometheus."""
    return {
        job["job_name"]: (
            job.get("metrics_path", "/metrics"),
            job.get("params", {}),
            [rule["regex"] for rule in job.get("metric_relabel_configs", [])],
        )
        for job in config["scrape_configs"]
    }


def test_prometheus_asks_the_same_under_the_same_names() -> None:
    config = yaml.safe_load(tree.text_of(Path("deploy/prometheus/prometheus.yml")))
    endpoints = [
        endpoint
        for monitor in of_kind(overlay("prod"), "PodMonitor").values()
        for endpoint in monitor["spec"]["podMetricsEndpoints"]
        if "relabelings" in endpoint
    ]
    here: dict[str, tuple[object, ...]] = {}
    for endpoint in endpoints:
        job, process = endpoint["relabelings"]
        assert (job["targetLabel"], process["targetLabel"]) == ("job", "process")
        here[job["replacement"]] = (
            endpoint.get("path", "/metrics"),
            endpoint.get("params", {}),
            [rule["regex"] for rule in endpoint.get("metricRelabelings", [])],
        )
    assert here == {job: how for job, how in _asked(config).items() if job != "watch"}
    (processes_job,) = [job for job in config["scrape_configs"] if job["job_name"] == "process"]
    chosen = of_kind(overlay("prod"), "PodMonitor")["process"]["spec"]["selector"]
    pods = processes(overlay("prod"))
    taken = {name for name, pod in pods.items() if matches(chosen, pod["metadata"]["labels"])}
    assert taken == set(processes_job["dns_sd_configs"][0]["names"])


def test_every_secret_is_made_and_none_that_nobody_needs(tmp_path: Path) -> None:
    make_cluster_secrets(tmp_path / "secrets")
    made = of_kind(tuple(rendered(tmp_path / "secrets")), "Secret")
    used = {name for document in overlay("prod") for name in secrets_used(document)}
    assert used == set(made) | FROM_OUTSIDE
    assert {secret["metadata"]["namespace"] for secret in made.values()} == {"tabian"}
    for said in compose().values():
        for secret, file in _secrets(said):
            if secret in made and not secret.endswith(".password"):
                assert list(made[secret]["data"]) == [file]
    for name in tree.ALL:
        assert made[f"{name}.password"]["type"] == "kubernetes.io/basic-auth"
        assert set(made[f"{name}.password"]["data"]) == {"username", "password"}


def test_the_urls_lead_to_the_operators_services(tmp_path: Path) -> None:
    make_cluster_secrets(tmp_path)
    stores = of_kind(overlay("base"), "Cluster", "RabbitmqCluster")
    namespace = stores["postgres"]["metadata"]["namespace"]
    assert f"@postgres-rw.{namespace}.svc:5432/" in (tmp_path / "intake.database-url").read_text(), (
        "of its primary"
    )
    assert f"@rabbitmq.{namespace}.svc:5672/" in (tmp_path / "intake.broker-url").read_text()
