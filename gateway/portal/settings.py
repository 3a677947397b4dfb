"""The portal's settings beside those of every service."""

from __future__ import annotations

from dataclasses import dataclass

from services.kit.settings import Settings, setting


@dataclass(frozen=True, kw_only=True)
class PortalSettings(Settings):
    """Where the services are, and how many trusted proxies stand before the portal."""

    api_url: str = setting(
        "TABIAN_API_URL", "where the portal reaches the services: the edge's inner address"
    )
    proxies: int = setting("TABIAN_PROXIES", "trusted proxies before the portal (X-Forwarded-For)", 0)
    prometheus: str = setting(
        "TABIAN_PROMETHEUS_URL",
        "where the operations page asks for its figures; empty where there is none",
        "",
    )
    edge_tls: str = setting(
        "TABIAN_EDGE_TLS",
        "host:port where the edge shows the certificate whose end is told in the metrics",
        "",
    )
