"""`docs/asyncapi.yaml`: the events as an AsyncAPI 3 document, for tools that make clients, tests and pages of it."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, Final

from deploy.documents.text import yaml_of
from services.contracts import topology
from services.contracts.envelope import DOCUMENT_TYPE, JSON_TYPE
from services.contracts.event import REGISTRY, Declaration
from services.contracts.schema import object_of

_EXAMPLES: Final = Path(__file__).parents[2] / "tests/contracts/examples"
_AMQP: Final = "0.3.0"
Part = dict[str, Any]


def render() -> str:
    """The document as YAML."""
    return yaml_of(document())


def document() -> Part:
    """The document."""
    declared = sorted(REGISTRY.items())
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": JSON_TYPE,
        "servers": {"rabbitmq": _SERVER},
        "channels": {name: _channel(name) for name, _ in declared} | {topology.REPORT_TYPE: _REPORTS},
        "operations": dict(_operation(*one) for name, d in declared for one in _ends(name, d)) | _REPORTING,
        "components": {
            "messages": {name: _message(name, d) for name, d in declared} | {topology.REPORT_TYPE: _REPORT},
            "messageTraits": {
                "cloudEvent": {"headers": _headers("about")},
                "document": {"headers": _headers()},
            },
            "schemas": {name: object_of(d.cls) for name, d in declared},
        },
    }


def _info() -> Part:
    return {
        "title": "Tabian events",
        "version": "1",
        "description": "What the services of Tabian tell each other. Nothing comes in a promised order or once only:"
        " a consumer keeps documents by hash and replaces state only by a greater revision.",
        "license": {"name": "Apache-2.0"},
        "tags": [{"name": name} for name in sorted({*topology.producers(), *topology.consumers()})],
    }


_SERVER: Final[Part] = {
    "host": "rabbitmq:5672",
    "protocol": "amqp",
    "protocolVersion": "0.9.1",
    "description": "RabbitMQ 3.10 or later, inside the deployment only. Each service has a user of its own.",
}


def _channel(name: str) -> Part:
    return _on(name, topology.EVENTS, "topic", name)


def _on(message: str, exchange: str, kind: str, address: str) -> Part:
    return {
        "address": address,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": exchange, "type": kind, "durable": True, "autoDelete": False},
                "bindingVersion": _AMQP,
            }
        },
    }


def _ends(name: str, declaration: Declaration) -> list[tuple[str, str, str]]:
    """(event, service, action) of everybody who has to do with it."""
    takers = [(name, consumer, "receive") for consumer in declaration.consumers]
    return [(name, declaration.producer, "send"), *takers]


def _operation(name: str, service: str, action: str) -> tuple[str, Part]:
    binding = {"deliveryMode": 2, "mandatory": True} if action == "send" else {"ack": True}
    said: Part = {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": f"{service} {'tells' if action == 'send' else 'takes'} it",
        "tags": [{"name": service}],
        "bindings": {"amqp": {**binding, "bindingVersion": _AMQP}},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }
    return f"{service}.{action}.{name}", said


def _message(name: str, declaration: Declaration) -> Part:
    about = " ".join(inspect.cleandoc(declaration.cls.__doc__ or "").split())
    example = json.loads((_EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    shape = {"$ref": f"#/components/schemas/{name}"}
    if declaration.document:
        return {
            "name": name,
            "contentType": DOCUMENT_TYPE,
            "description": f"{about} The fields ride in the header `cloudEvents:about` as JSON.",
            "traits": [{"$ref": "#/components/messageTraits/document"}],
            "payload": {
                "type": "string",
                "description": "CSV in UTF-8, compressed with zstd",
                "format": "binary",
            },
            "x-about": shape,
            "x-about-example": example,
        }
    return {
        "name": name,
        "contentType": JSON_TYPE,
        "description": about,
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": shape,
        "examples": [{"name": "example", "payload": example}],
    }


_ATTRIBUTES: Final[Part] = {
    "cloudEvents:specversion": {"type": "string", "const": "1.0"},
    "cloudEvents:id": {"type": "string", "format": "uuid"},
    "cloudEvents:type": {"type": "string"},
    "cloudEvents:source": {"type": "string"},
    "cloudEvents:time": {"type": "string", "format": "date-time"},
    "cloudEvents:subject": {"type": "string"},
    "cloudEvents:correlationid": {"type": "string"},
    "cloudEvents:causationid": {"type": "string"},
    "traceparent": {"type": "string", "description": "W3C Trace Context"},
    "cloudEvents:about": {"type": "string", "description": "the fields, as JSON"},
}
_SOMETIMES: Final = {"correlationid", "causationid", "subject"}


def _headers(*without: str) -> Part:
    """The attributes as headers, less these."""
    names = {f"cloudEvents:{name}" for name in without}
    shown = {name: schema for name, schema in _ATTRIBUTES.items() if name not in names}
    needed = [n for n in shown if n.startswith("cloudEvents:") and n.partition(":")[2] not in _SOMETIMES]
    return {"type": "object", "properties": shown, "required": needed}


_EVENT_ID: Final[Part] = {"type": "string", "format": "uuid"}
_REPORT: Final[Part] = {
    "name": topology.REPORT_TYPE,
    "contentType": JSON_TYPE,
    "description": "A consumer tells a producer's relay which of its events it applied, and which it gave up and why."
    " Best effort: a lost report means that the event is sent again.",
    "payload": {
        "type": "object",
        "properties": {
            "consumer": {"type": "string"},
            "applied": {"type": "array", "items": _EVENT_ID},
            "parked": {
                "type": "array",
                "items": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            },
        },
        "required": ["consumer", "applied", "parked"],
    },
}
_REPORTS: Final[Part] = {
    **_on(topology.REPORT_TYPE, topology.REPORTS, "direct", "{producer}"),
    "parameters": {
        "producer": {"enum": topology.producers(), "description": "the service whose events they were"}
    },
}
_REPORTING: Final[Part] = {
    f"every.{action}.{topology.REPORT_TYPE}": {
        "action": action,
        "channel": {"$ref": f"#/channels/{topology.REPORT_TYPE}"},
        "summary": f"every {who}",
        "messages": [{"$ref": f"#/channels/{topology.REPORT_TYPE}/messages/{topology.REPORT_TYPE}"}],
    }
    for action, who in (("send", "consumer, after its commit"), ("receive", "producer's relay"))
}
