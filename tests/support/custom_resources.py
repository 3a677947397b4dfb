"""The shapes of the operators' resources that deploy/k8s uses, as JSON Schemas: what we write and nothing else.

Their own definitions are not here: they belong to the operators, are thousands of lines each, and change with them. A
misspelt or misplaced field is found, a value that the operator would not like is not.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "integer", "minimum": 1}
FLAG: Schema = {"type": "boolean"}
SIZE: Schema = {"type": "string", "pattern": r"^[1-9]\d*(Mi|Gi)$"}
SPAN: Schema = {"type": "string", "pattern": r"^[1-9]\d*s$"}
OPEN: Schema = {"type": "object", "minProperties": 1}
NAMED: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {"name": TEXT},
}


def shape(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object with these members and no other."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(required),
        "properties": required | optional,
    }


def many(of: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": of}


def _kind(spec: Schema) -> Schema:
    about = shape({"name": TEXT, "namespace": {"const": "tabian"}}, labels=OPEN)
    return shape({"apiVersion": TEXT, "kind": TEXT, "metadata": about, "spec": spec})


_RESOURCES = shape({"requests": OPEN, "limits": OPEN})
_KEY = shape({"name": TEXT, "key": TEXT})
_STORAGE = shape({"size": SIZE}, storageClass=TEXT)
_PLUGIN = shape({"name": TEXT, "isWALArchiver": FLAG, "parameters": shape({"barmanObjectName": TEXT})})
_ROLE = shape({"name": TEXT, "ensure": {"const": "present"}, "login": FLAG, "passwordSecret": NAMED})
_CLUSTER = shape(
    {
        "instances": NUMBER,
        "imageCatalogRef": shape({"apiGroup": TEXT, "kind": TEXT, "name": TEXT, "major": NUMBER}),
        "enableSuperuserAccess": FLAG,
        "primaryUpdateStrategy": {"enum": ["unsupervised", "supervised"]},
        "storage": _STORAGE,
        "walStorage": _STORAGE,
        "resources": _RESOURCES,
        "affinity": shape({"podAntiAffinityType": {"enum": ["required", "preferred"]}, "topologyKey": TEXT}),
        "postgresql": shape(
            {"parameters": {"type": "object", "additionalProperties": TEXT}},
            synchronous=shape(
                {"method": {"enum": ["any", "first"]}, "number": NUMBER},
                dataDurability={"enum": ["required", "preferred"]},
            ),
        ),
        "bootstrap": shape(
            {
                "initdb": shape(
                    {"database": TEXT, "owner": TEXT, "secret": NAMED, "encoding": {"const": "UTF8"}},
                    postInitSQL=many(TEXT),
                    postInitApplicationSQL=many(TEXT),
                )
            }
        ),
        "managed": shape({"roles": many(_ROLE)}),
    },
    plugins=many(_PLUGIN),
)
_SCHEDULED = shape(
    {
        "schedule": {"type": "string", "pattern": r"^(\S+ ){5}\S+$"},  # six fields: with seconds
        "cluster": NAMED,
        "method": {"const": "plugin"},
        "pluginConfiguration": NAMED,
    },
    immediate=FLAG,
    backupOwnerReference={"enum": ["none", "self", "cluster"]},
    target={"enum": ["primary", "prefer-standby"]},
)
_STORE = shape(
    {
        "retentionPolicy": {"type": "string", "pattern": r"^[1-9]\d*[dwm]$"},
        "configuration": shape(
            {
                "destinationPath": {"type": "string", "pattern": "^s3://"},
                "endpointURL": {"type": "string", "pattern": "^https://"},
                "s3Credentials": shape({"accessKeyId": _KEY, "secretAccessKey": _KEY}),
                "wal": shape({"compression": TEXT, "maxParallel": NUMBER}),
                "data": shape({"compression": TEXT, "jobs": NUMBER}),
            }
        ),
    }
)
_RABBITMQ = shape(
    {
        "image": TEXT,
        "replicas": {"enum": [1, 3, 5]},
        "resources": _RESOURCES,
        "persistence": shape({"storage": SIZE}, storageClassName=TEXT),
        "terminationGracePeriodSeconds": NUMBER,
        "rabbitmq": shape({"additionalConfig": {"type": "string", "maxLength": 2000}}),
        "affinity": OPEN,
        "override": shape({"statefulSet": shape({"spec": shape({"template": shape({"spec": OPEN})})})}),
    }
)
_QUEUE = shape(
    {
        "protocol": {"const": "amqp"},
        "mode": {"const": "QueueLength"},
        "queueName": TEXT,
        "value": {"type": "string", "pattern": r"^[1-9]\d*$"},
    }
)
_QUERY = shape(
    {"serverAddress": TEXT, "query": TEXT, "threshold": {"type": "string", "pattern": r"^[1-9]\d*$"}}
)
_TRIGGER: Schema = {
    "oneOf": [
        shape({"type": {"const": "rabbitmq"}, "metadata": _QUEUE, "authenticationRef": NAMED}),
        shape({"type": {"const": "prometheus"}, "metadata": _QUERY}),
    ]
}
_SCALED = shape(
    {
        "scaleTargetRef": NAMED,
        "minReplicaCount": NUMBER,
        "maxReplicaCount": NUMBER,
        "pollingInterval": NUMBER,
        "cooldownPeriod": NUMBER,
        "triggers": many(_TRIGGER),
    }
)
_RELABELLED = shape({}, sourceLabels=many(TEXT), targetLabel=TEXT, regex=TEXT, replacement=TEXT, action=TEXT)
_ENDPOINT = shape(
    {"port": TEXT, "interval": SPAN},
    path=TEXT,
    params=OPEN,
    relabelings=many(_RELABELLED),
    metricRelabelings=many(_RELABELLED),
)

SHAPES: dict[tuple[str, str], Schema] = {
    ("postgresql.cnpg.io/v1", "Cluster"): _kind(_CLUSTER),
    ("postgresql.cnpg.io/v1", "ScheduledBackup"): _kind(_SCHEDULED),
    ("barmancloud.cnpg.io/v1", "ObjectStore"): _kind(_STORE),
    ("rabbitmq.com/v1beta1", "RabbitmqCluster"): _kind(_RABBITMQ),
    ("keda.sh/v1alpha1", "ScaledObject"): _kind(_SCALED),
    ("keda.sh/v1alpha1", "TriggerAuthentication"): _kind(
        shape({"secretTargetRef": many(shape({"parameter": TEXT, "name": TEXT, "key": TEXT}))})
    ),
    ("monitoring.coreos.com/v1", "PodMonitor"): _kind(
        shape(
            {
                "selector": shape({}, matchLabels=OPEN, matchExpressions=many(OPEN)),
                "podMetricsEndpoints": many(_ENDPOINT),
            }
        )
    ),
}
"""(apiVersion, kind) → its shape."""
