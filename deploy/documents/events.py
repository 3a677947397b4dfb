"""`docs/events.md`: every event, who sends it and who takes it, and the queues that carries it between them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from deploy.documents.text import page, table
from services.contracts import topology
from services.contracts.envelope import DOCUMENT_TYPE, JSON_TYPE
from services.contracts.event import REGISTRY, Declaration
from services.contracts.schema import object_of

_INTRODUCTION = (
    "Services tell each other what happened; why it is built so is in [decision 3](decisions/0003-outbox-and-inbox-with-reports.md)"
    " and [decision 4](decisions/0004-events-have-a-shape-and-no-order.md). The same for machines:"
    " [asyncapi.yaml](asyncapi.yaml).",
    "",
    "An event's type is its routing key on the exchange `tabian`. It may come late, twice and in any order: a document"
    " is kept by its hash, state replaces only what has a smaller `revision`. A new field has a default; anything else"
    " is a new version. An event names a pupil by school, roster and line, and never carries a national ID.",
)


def render() -> str:
    """The page."""
    declared = sorted(REGISTRY.items())
    overview = table(
        ("event", "from", "to", "body"),
        (
            (f"[`{name}`](#{_anchor(name)})", d.producer, ", ".join(d.consumers), _body(d))
            for name, d in declared
        ),
    )
    each = [part for name, declaration in declared for part in _event(name, declaration)]
    return page(
        "Events", _INTRODUCTION, overview, ["## Envelope"], _ENVELOPE, *each, ["## On the broker"], *_broker()
    )


_ENVELOPE = (
    "CloudEvents 1.0 in binary mode (`services/contracts/envelope.py`): the attributes are message headers, each named"
    " `cloudEvents:` and its name.",
    "",
    *table(
        ("header", "what it says"),
        (
            ("`id`", "a UUID; a consumer that has applied it does nothing the second time"),
            ("`type`", "the event's type and version"),
            ("`source`", "the service that sent it"),
            ("`time`", "when it was published, with its zone"),
            ("`subject`", "what it is about: a school, a round or an area"),
            ("`correlationid`", "one id from a person's first request to the last consumer"),
            ("`causationid`", "the id of the event that caused this one, if one did"),
            ("`about`", "the fields as JSON, where the body is a document"),
        ),
    ),
    "",
    "`traceparent` stands beside them as W3C Trace Context has it.",
)


def _event(name: str, declaration: Declaration) -> Iterator[list[str]]:
    said = inspect.cleandoc(declaration.cls.__doc__ or "").splitlines()
    to = ", ".join(declaration.consumers)
    yield [f"## {name}"]
    yield [f"*{declaration.producer} → {to}; {_body(declaration)}*", "", *said]
    yield table(("field", "type", "needed"), _fields(object_of(declaration.cls)))


def _fields(schema: dict[str, Any], within: str = "") -> Iterator[tuple[str, str, str]]:
    for name, inner in schema["properties"].items():
        needed = "yes" if name in schema["required"] else "no"
        yield f"`{within}{name}`", _kind(inner), needed
        parts = inner.get("items", inner)
        if "properties" in parts:
            yield from _fields(parts, f"{within}{name}[]." if "items" in inner else f"{within}{name}.")


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    return str(schema["type"])


def _body(declaration: Declaration) -> str:
    return f"{DOCUMENT_TYPE}, zstd" if declaration.document else JSON_TYPE


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _broker() -> Iterator[list[str]]:
    """What of RabbitMQ is declared for them."""
    made = topology.topology()
    yield [
        "Declared by `tabian broker declare` from `services/contracts/topology.py`; everything is durable."
    ]
    yield table(
        ("exchange", "kind", "for"),
        ((f"`{one.name}`", one.type, _EXCHANGES[one.name]) for one in made.exchanges),
    )
    yield table(
        ("queue", "bound to", "arguments"),
        ((f"`{queue.name}`", _bound(made, queue.name), _arguments(queue)) for queue in made.queues),
    )


_EXCHANGES = {
    topology.EVENTS: "events; what no queue is bound for goes to `tabian.unrouted`",
    topology.DEAD: "what a consumer gave up, by the consumer's name",
    topology.REPORTS: f"consumers' reports to the producer's relay (`{topology.REPORT_TYPE}`), by the producer's name",
    topology.UNROUTED: "events that nobody was there for",
}


def _bound(made: topology.Topology, queue: str) -> str:
    keys = [(binding.exchange, binding.key) for binding in made.bindings if binding.queue == queue]
    events = [key for exchange, key in keys if exchange == topology.EVENTS]
    if events:
        return f"`{topology.EVENTS}`: {len(events)} events"
    return ", ".join(f"`{exchange}` {f'key `{key}`' if key else ''}".strip() for exchange, key in keys)


def _arguments(queue: topology.Queue) -> str:
    return ", ".join(f"`{name.removeprefix('x-')}={value}`" for name, value in queue.arguments.items())
