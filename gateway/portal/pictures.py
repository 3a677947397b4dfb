"""The operations page's pictures: what Prometheus found, drawn as SVG by pygal, and the same in numbers and words.

Not here: what is drawn (`day`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import pygal
from pygal.style import Style

from gateway.portal.day import Line, Picture, Unit
from gateway.portal.language import t, word
from gateway.portal.prometheus import Series
from services.contracts.calendar import BANGKOK

MOST: Final = 8
"""Lines of one picture: more cannot be told apart. The highest are drawn."""
_TRANSLATED: Final = ("state", "act")
"""Labels whose values have words of their own."""
_LABELS: Final = 6
_STYLE: Final = Style(
    background="transparent",
    plot_background="#ffffff",
    foreground="#17313a",
    foreground_strong="#17313a",
    foreground_subtle="#51656b",
    guide_stroke_color="#d7dfdd",
    major_guide_stroke_color="#b9c4c1",
    guide_stroke_dasharray="1,0",
    major_guide_stroke_dasharray="1,0",
    stroke_opacity="1",
    stroke_width="2.5",
    font_family='"Sarabun", "Noto Sans Thai", "Leelawadee UI", "Thonburi", "Loma", sans-serif',
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    no_data_font_size=16,
    # told apart also by who does not see all colours (Okabe and Ito)
    colors=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a5a00", "#56b4e9", "#5f4a00", "#8c8c8c"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is drawn: Unix seconds, and the seconds between two points."""

    since: float
    until: float
    step: float

    @property
    def labels(self) -> list[float]:
        """The moments that are named below a picture."""
        return [self.since + n * (self.until - self.since) / _LABELS for n in range(_LABELS + 1)]


@dataclass(frozen=True, slots=True)
class Told:
    """One line in numbers, each as people read it: the last, the least and the most."""

    name: str
    last: str
    least: str
    most: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture on the page. `source`: what <img> shows; `numbers`: the same for who would rather read; `more`: lines left
    out."""

    about: Picture
    source: str
    numbers: list[Told]
    more: int

    @property
    def words(self) -> str:
        """The picture for who hears it."""
        now = ", ".join(f"{one.name} {one.last}" for one in self.numbers)
        return f"{t(self.about.th, self.about.en)}. {t('ขณะนี้', 'Now')}: {now or t('ไม่มีข้อมูล', 'no data')}"


def draw(about: Picture, found: Sequence[tuple[Line, list[Series]]], span: Span) -> Drawn:
    """What every line of the picture found."""
    named = [(_name(line, series), series.points) for line, all_ in found for series in all_ if series.points]
    named.sort(key=lambda one: -max(value for _, value in one[1]))
    shown = sorted(named[:MOST])
    in_words = words_of(about.unit)
    chart = _chart(in_words, span)
    if shown:
        chart.x_labels = span.labels
    else:
        chart.show_x_labels = False  # without a line pygal knows no place for one
    for name, points in shown:
        chart.add(name, _with_gaps(points, span))
    svg = base64.b64encode(chart.render()).decode()
    numbers = [
        Told(name, *(in_words(value) for value in (points[-1][1], *_ends(points)))) for name, points in shown
    ]
    return Drawn(about, f"data:image/svg+xml;base64,{svg}", numbers, len(named) - len(shown))


def words_of(unit: Unit) -> Callable[[float | None], str]:
    """How a value of this unit is written."""
    return {"number": _number, "seconds": _seconds, "per-second": _number}[unit]


def _chart(in_words: Callable[[float | None], str], span: Span) -> Any:
    chart = pygal.XY(
        style=_STYLE,
        js=(),
        width=640,
        height=340,
        show_dots=False,
        max_scale=5,
        allow_interruptions=True,
        include_x_axis=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=2,
        truncate_legend=36,
        xrange=(span.since, span.until),
        x_value_formatter=_clock,
        value_formatter=in_words,
        no_data_text=t("ไม่มีข้อมูล", "No data"),
    )
    chart.add_xml_filter(_without_scripts)
    return chart


def _without_scripts(root: Any) -> Any:
    """pygal tells its scripts how it drew, also where there are none; what stands in an image needs none."""
    for parent in list(root.iter()):
        for child in list(parent):
            if str(child.tag).endswith("script"):
                parent.remove(child)
    return root


def _with_gaps(points: Sequence[tuple[float, float]], span: Span) -> list[tuple[float, float | None]]:
    """With None where Prometheus knew nothing: a line over an outage would tell what nobody saw."""
    known = {round((at - span.since) / span.step): value for at, value in points}
    steps = round((span.until - span.since) / span.step)
    return [(span.since + n * span.step, known.get(n)) for n in range(steps + 1)]


def _ends(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    values = [value for _, value in points]
    return min(values), max(values)


def _name(line: Line, series: Series) -> str:
    def of(label: re.Match[str]) -> str:
        value = series.labels.get(label[1], "")
        return word(label[1], value) if label[1] in _TRANSLATED else value

    return re.sub(r"\{\{(\w+)\}\}", of, t(line.th, line.en or line.th))


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, BANGKOK):%H:%M}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.2g}"


def _seconds(value: float | None) -> str:
    """The two largest parts: 2 h 5 min, 3 min 20 s, 0.25 s."""
    if value is None:
        return "–"
    if abs(value) < 60:
        return f"{value:.3g} {t('วิ', 's')}"
    sign, whole = ("-" if value < 0 else ""), abs(round(value))
    parts = (
        (whole // 86400, t("วัน", "d")),
        (whole // 3600 % 24, t("ชม.", "h")),
        (whole // 60 % 60, t("นาที", "min")),
        (whole % 60, t("วิ", "s")),
    )
    first = next(n for n, (many, _) in enumerate(parts) if many)
    return sign + " ".join(f"{many} {unit}" for many, unit in islice(parts, first, first + 2) if many)
