"""`python -m gateway.edge`: write the edge's configuration: for the compose stack beside this file, for Kubernetes into deploy/k8s."""

from __future__ import annotations

from gateway.edge.configuration import PLACES, configuration, routes_map

if __name__ == "__main__":
    for folder, site in PLACES.items():
        (folder / "haproxy.cfg").write_text(configuration(site), encoding="utf-8")
        (folder / "routes.map").write_text(routes_map(), encoding="utf-8")
