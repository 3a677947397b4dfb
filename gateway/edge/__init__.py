"""The edge: HAProxy's configuration, made from the table of routes and the table of process pools.

`python -m gateway.edge` writes `haproxy.cfg` and `routes.map` beside this file and into deploy/k8s; a test holds them against the tables.
Not here: running HAProxy, and anything a service decides (the edge only keeps away what a service would refuse).
"""
