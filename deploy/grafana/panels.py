"""The few kinds of panel that all dashboards are made of. A panel's title is Thai first, then English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders.common import VizLegendOptions, VizTooltipOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Graph
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from gateway.portal.day import Picture, Unit

PROMETHEUS: Final = DataSourceRef("prometheus", "prometheus")
HEIGHT: Final = 8
Panel = Graph | Stat
_UNITS: Final[Mapping[Unit, str]] = {"number": "short", "seconds": "s", "per-second": "reqps"}


def dashboard(title: str, about: str, rows: Mapping[str, Sequence[Panel]], *variables: Any) -> Dashboard:
    """A dashboard, without its uid; `rows`: heading → its panels."""
    board = (
        Dashboard(title)
        .description(about)
        .tags(["tabian"])
        .readonly()
        .refresh("15s")
        .time("now-1h", "now")
        .timezone("Asia/Bangkok")
    )
    for variable in variables:
        board.with_variable(variable)
    for heading, panels in rows.items():
        board.with_row(Row(heading))
        for panel in panels:
            board.with_panel(panel)
    return board


def graph(title: str, queries: Mapping[str, str], *, unit: str = "short", about: str = "") -> Graph:
    """Lines over time. `queries`: legend, with {{label}} in it, → PromQL. `unit` is Grafana's name of it."""
    panel = (
        Graph()
        .title(title)
        .description(about)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .height(HEIGHT)
        .span(8)
        .fill_opacity(10)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    return _asked(panel, queries)


def picture(one: Picture) -> Graph:
    """As the operations page shows it."""
    queries = {line.legend: line.query for line in one.lines}
    return graph(one.title, queries, unit=_UNITS[one.unit], about=f"{one.about_th} · {one.about_en}")


def number(title: str, queries: Mapping[str, str], *, unit: str = "short", about: str = "") -> Stat:
    """One large figure for each query."""
    panel = (
        Stat()
        .title(title)
        .description(about)
        .datasource(PROMETHEUS)
        .unit(unit)
        .height(HEIGHT)
        .span(4)
        .graph_mode(BigValueGraphMode.AREA)
    )
    return _asked(panel, queries)


def _asked(panel: Any, queries: Mapping[str, str]) -> Any:
    for letter, (legend, query) in zip("ABCDEFGH", queries.items(), strict=False):
        panel.with_target(
            Dataquery().datasource(PROMETHEUS).ref_id(letter).expr(query).legend_format(legend).range()
        )
    return panel
