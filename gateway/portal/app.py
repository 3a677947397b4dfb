"""The portal as a service: accounts, tokens and the pages. It consumes and publishes no events.

`runtime.parts["api"]`: an httpx.Client whose base URL leads to the services (embedded mode: a WSGI transport);
`runtime.parts["proxies"]`: how many trusted proxies stand before it (0: the client's address is the socket's);
`runtime.parts["edge"]`: where the edge shows its certificate, if anywhere;
`runtime.parts["prometheus"]`: whom the operations page asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState

from gateway.portal import api, certificate, web
from gateway.portal.pages import acts, area, nation, operations, people, roster, rounds, school
from gateway.portal.prometheus import Prometheus
from gateway.portal.settings import PortalSettings
from gateway.portal.tables import METADATA
from services.kit.service import Service


def _blueprints() -> tuple[Blueprint, ...]:
    tokens = api.blueprint()
    base = Blueprint("portal", __name__, template_folder=str(web.HERE / "templates"))
    base.add_url_rule("/static/<path:filename>", "asset", web.asset)

    def prepare(state: BlueprintSetupState) -> None:
        web.prepare(cast(Flask, state.app), state.app.extensions["tabian"], tokens)

    base.record_once(prepare)
    pages = tuple(
        module.blueprint() for module in (people, rounds, school, roster, acts, area, nation, operations)
    )
    for page in pages:
        web.show_errors(page)
    return (base, tokens, *pages)


SERVICE = Service(
    name="portal",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    blueprints=_blueprints,
    readings=certificate.READINGS,
)


def parts(settings: PortalSettings) -> dict[str, Any]:
    """What the portal needs beside a database: the way to the services."""
    limits = httpx.Limits(max_connections=settings.threads, max_keepalive_connections=settings.threads)
    client = httpx.Client(base_url=settings.api_url, limits=limits, follow_redirects=False)
    return {
        "api": client,
        "proxies": settings.proxies,
        "edge": settings.edge_tls,
        "prometheus": Prometheus(settings.prometheus),
    }
