"""The definitions a RabbitMQ node loads when it boots: virtual host, topology, and users who may do no more than they need.

A service's user may declare nothing, write its own events and reports, and read its own two queues. `declare` may do
everything in the virtual host; `ops` looks at dead letters and puts them back. Passwords come from the caller and go
in as salted hashes. Not here: where the passwords are kept.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from services.contracts import topology as wire

VIRTUAL_HOST = "tabian"
DECLARE, OPS = "declare", "ops"


def definitions(users: Mapping[str, str]) -> dict[str, Any]:
    """The whole definitions file for users given as name → password. Raises ValueError for a name that is none of the
    services that speak to the broker, `declare` or `ops`."""
    known = {*wire.producers(), *wire.consumers(), DECLARE, OPS}
    if strange := sorted(set(users) - known):
        raise ValueError(f"no such user of the broker: {', '.join(strange)}")
    return {
        "vhosts": [{"name": VIRTUAL_HOST}],
        "users": [_user(name, password) for name, password in sorted(users.items())],
        "permissions": [_permission(name) for name in sorted(users)],
        "topic_permissions": [_topics(name) for name in sorted(users) if name not in (DECLARE, OPS)],
        **_declared(wire.topology()),
    }


def _user(name: str, password: str) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": _hashed(password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["monitoring"] if name == OPS else [],
    }


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(4)  # four bytes are what RabbitMQ's format has room for
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _permission(name: str) -> dict[str, str]:
    configure, write, read = {
        DECLARE: (".*", ".*", ".*"),
        OPS: ("^$", r"^amq\.default$", rf"^(.+\.dead|{wire.UNROUTED_QUEUE})$"),
    }.get(name, ("^$", rf"^({_exact(wire.EVENTS)}|{_exact(wire.REPORTS)})$", rf"^{name}(\.reports)?$"))
    return {"user": name, "vhost": VIRTUAL_HOST, "configure": configure, "write": write, "read": read}


def _exact(name: str) -> str:
    return name.replace(".", r"\.")


def _topics(name: str) -> dict[str, str]:
    """A service cannot send another's events."""
    return {
        "user": name,
        "vhost": VIRTUAL_HOST,
        "exchange": wire.EVENTS,
        "write": rf"^{name}\.",
        "read": "^$",
    }


def _declared(topology: wire.Topology) -> dict[str, Any]:
    here = {"vhost": VIRTUAL_HOST, "durable": True, "auto_delete": False}
    return {
        "exchanges": [
            {
                "name": exchange.name,
                "type": exchange.type,
                "internal": False,
                "arguments": exchange.arguments,
                **here,
            }
            for exchange in topology.exchanges
        ],
        "queues": [{"name": queue.name, "arguments": queue.arguments, **here} for queue in topology.queues],
        "bindings": [
            {
                "source": binding.exchange,
                "vhost": VIRTUAL_HOST,
                "destination": binding.queue,
                "destination_type": "queue",
                "routing_key": binding.key,
                "arguments": {},
            }
            for binding in topology.bindings
        ],
    }
