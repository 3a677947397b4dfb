"""`python -m deploy.grafana`: writes the dashboards as Grafana reads them."""

from deploy.grafana.stored import FOLDER, rendered

for name, text in rendered().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
