"""The secrets of a deployment on Kubernetes: the same files as a stack's, with the names its servers have there, and a
kustomization that makes a Secret of each. `kubectl apply -k FOLDER` brings them to the cluster.

Not here: what runs there (deploy/k8s).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from gateway.stack.secrets import DATABASES, make_secrets

NAMESPACE: Final = "tabian"
POSTGRES, RABBITMQ = f"postgres-rw.{NAMESPACE}.svc", f"rabbitmq.{NAMESPACE}.svc"
"""The services that the operators make. With the namespace: KEDA asks RabbitMQ from its own."""
URLS: Final = ("database-url", "broker-url")
UNUSED: Final = ("declare.broker-url", "edge.crt")
"""The broker loads what is declared; the certificate is for clients."""


def make_cluster_secrets(folder: Path) -> None:
    """Make every secret that is missing in `folder`, and its kustomization.yaml anew."""
    make_secrets(folder, postgres=POSTGRES, rabbitmq=RABBITMQ)
    made = sorted(file.name for file in folder.iterdir() if file.suffix != ".yaml")
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "generatorOptions": {"disableNameSuffixHash": True},
        "secretGenerator": [secret for name in made if (secret := _secret(name))],
    }
    # JSON is YAML as well
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization, indent=2), encoding="utf-8")


def _secret(file: str) -> dict[str, Any] | None:
    """A Secret named as the file: a URL under the name by which a process reads it, a role's password as PostgreSQL's operator
    wants it. None for what nobody needs there."""
    owner, _, what = file.partition(".")
    if what == "password" and owner in DATABASES:
        login = {"literals": [f"username={owner}"], "files": [f"password={file}"]}
        return {"name": file, "type": "kubernetes.io/basic-auth", **login}
    if what.endswith("password") or file in UNUSED:
        return None
    return {"name": file, "files": [f"{what if what in URLS else file}={file}"]}
