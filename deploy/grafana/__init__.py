"""Grafana's dashboards as code: what each shows is written here, `make docs` writes them as Grafana reads them.

Not here: how Grafana finds them (provisioning) and what the figures mean (the catalogue of metrics).
"""
