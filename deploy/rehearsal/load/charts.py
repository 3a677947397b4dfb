"""The charts of a day's report, as SVG to stand in a page: drawn by matplotlib, with the page's own text colour. What the
lines are called is told beside them, in the page."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

COLOURS: Final = ("#3f8fd2", "#dd7a21", "#2e9e6b", "#b565a7", "#8c8c8c", "#c94f4f", "#9a7b2f", "#5a6fd0")
"""Told apart on white and on black, and by most people who do not see all colours."""
DASHES: Final = ("solid", "dashed", "dotted")
_INK: Final = "#010203"
"""Stands for the page's text colour until the chart is in the page."""
STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name in Thai and English, and what it shows."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """`at`: seconds of the values; with one more than there are values they are edges, and the values hold between
    them. `until`: where the axis of time ends; `crowd`: from which second to which the crowd comes, or None; `log`: a
    logarithmic scale."""

    title: str
    unit: str
    at: Sequence[float]
    lines: Sequence[Line]
    until: float
    crowd: tuple[float, float] | None = None
    log: bool = False

    def key(self) -> list[tuple[str, str, str]]:
        """(name, colour, dashes) of each line."""
        return [(line.name, *_look(number)) for number, line in enumerate(self.lines)]


def svg(chart: Chart, name: str) -> str:
    """The chart as an <svg> element; `name` is its title's id in the page."""
    with rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(9, 2.6))
        figure.subplots_adjust(left=0.08, right=0.97, top=0.95, bottom=0.2)
        _draw(figure.subplots(), chart)
        out = io.StringIO()
        figure.savefig(
            out, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    return _for_the_page(out.getvalue(), chart.title, name)


def _draw(axes: Axes, chart: Chart) -> None:
    if chart.crowd is not None:
        axes.axvspan(*chart.crowd, color="#8c8c8c", alpha=0.18, linewidth=0)
    for number, line in enumerate(chart.lines):
        colour, dashes = _look(number)
        if len(chart.at) > len(line.values):
            axes.stairs(line.values, chart.at, color=colour, linestyle=dashes, linewidth=1.5, baseline=None)
        else:
            axes.plot(chart.at, line.values, color=colour, linestyle=dashes, linewidth=1.5)
    axes.set_ylabel(chart.unit)
    axes.set_xlabel("m:ss")
    axes.set_xlim(0, chart.until)
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda second, _: f"{int(second) // 60}:{int(second) % 60:02d}")
    )
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 3, 6, 10]))
    axes.grid(axis="y", color="#8c8c8c", alpha=0.3, linewidth=0.6)
    if chart.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=not chart.unit))


def _look(number: int) -> tuple[str, str]:
    """(colour, dashes) of a chart's line."""
    return COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]


def _for_the_page(drawn: str, title: str, name: str) -> str:
    """Without the head of a file of its own and ids that every chart has; with the title for who cannot see it."""
    inner = drawn[drawn.index("<svg") :].replace(_INK, "currentColor")
    inner = re.sub(
        r"<metadata>.*?</metadata>|<g id=\"[^\"]*\">",
        lambda m: "" if "meta" in m[0] else "<g>",
        inner,
        flags=re.DOTALL,
    )
    head = f'<svg role="img" aria-labelledby="{name}"'
    return inner.replace("<svg", head, 1).replace(">", f'><title id="{name}">{title}</title>', 1).strip()
