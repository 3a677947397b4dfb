"""`python -m gateway.edge`: write haproxy.cfg and routes.map beside this file, as the compose stack mounts them."""

from __future__ import annotations

from gateway.edge.configuration import HERE, Site, configuration, routes_map

if __name__ == "__main__":
    (HERE / "haproxy.cfg").write_text(configuration(Site()), encoding="utf-8")
    (HERE / "routes.map").write_text(routes_map(), encoding="utf-8")
