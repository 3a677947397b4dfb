"""The pictures of a bench, drawn from its summary: one SVG file each, with English words only, as the fonts of whoever looks may
have no Thai. What a summary does not tell is left out, and a picture of which nothing is left is not drawn.

Not here: the report of a rehearsed day (`charts`, `report`). Again from a summary that is there:
`python -m deploy.rehearsal.load.plots .tabian/bench/summary.json docs/images/bench`
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from deploy.rehearsal.load.charts import COLOURS, STYLE
from deploy.rehearsal.load.knee import IN_TIME_SECONDS

Figures = Mapping[str, Any]
"""A summary."""
MEMORY_MIB: Final = 512
"""What a process may have."""
_GREY, _INK, _PAPER = "#8c8c8c", "#222222", "#ffffff"
_PROCESSES: Final = [colour for colour in COLOURS if colour != _GREY]
_OTHERS, _LOAD = "others", "the load itself"


def draw(figures: Figures, folder: Path) -> list[Path]:
    """Write every picture that the summary has figures for; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    for name, picture in PICTURES.items():
        with rc_context({**STYLE, **dict.fromkeys(inks, _INK), "svg.hashsalt": name}):
            figure = picture(figures)
            if figure is None:
                continue
            file = folder / f"{name}.svg"
            nobody = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(file, format="svg", facecolor=_PAPER, metadata=nobody)
            drawn.append(file)
    return drawn


def intake(figures: Figures) -> Figure | None:
    """Pupils a second, beside the yardsticks."""
    sticks = figures.get("yardsticks", {})
    copy = sticks.get("copy", {})
    bars = {
        "Tabian: file to screened": figures.get("intake_students_per_s"),
        "the obvious monolith": sticks.get("monolith", {}).get("students_per_s"),
        "COPY, one transaction": copy.get("together_per_s"),
        "COPY, a transaction a roll": copy.get("per_roster_per_s"),
    }
    told = {name: value for name, value in bars.items() if value}
    if not told:
        return None
    figure, axes = _figure("Rolls in: pupils a second", 0.9 + 0.36 * len(told))
    colours = [COLOURS[0] if name.startswith("Tabian") else _GREY for name in told]
    _bars(axes, told, colours, lambda value: f"{value:,.0f}")
    axes.set_xscale("log")
    axes.set_xlim(min(told.values()) / 4, max(told.values()) * 2.5)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("pupils a second (logarithmic)")
    return figure


def acts(figures: Figures) -> Figure | None:
    """How long acts waited as more came, where they were no longer in time, and where the bare act was."""
    steps: Sequence[Figures] = sorted(figures.get("acts_knee_steps", ()), key=lambda step: step["rate"])
    if not steps:
        return None
    figure, axes = _figure("Acts: seconds until answered, by how many come a second", 3.2)
    rates = [step["rate"] for step in steps]
    for number, p in enumerate(("p50", "p99")):
        values = [step[f"{p}_s"] for step in steps]
        axes.plot(rates, values, color=COLOURS[number], marker="o", markersize=3.5, label=p)
    if figures.get("acts_rate") and figures.get("acts_p99_s"):
        at = ([figures["acts_rate"]], [figures["acts_p99_s"]])
        axes.plot(*at, color=COLOURS[1], marker="D", linestyle="none", label="p99, every school's acts")
    axes.axhline(IN_TIME_SECONDS, color=_GREY, linewidth=0.8, label=f"in time: p99 {IN_TIME_SECONDS:g} s")
    knee, times = figures.get("acts_knee_per_s"), figures.get("acts_vs_bare")
    if knee:
        axes.axvline(knee, color=COLOURS[2], linestyle="dashed", label=f"knee: {knee:g}/s")
    if knee and times:
        bare = knee / times
        axes.axvline(bare, color=COLOURS[3], linestyle="dotted", label=f"the bare act's knee: {bare:.0f}/s")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("s (logarithmic)")
    axes.set_xlabel("acts a second")
    axes.set_xlim(left=0)
    axes.grid(axis="y", color=_GREY, alpha=0.3, linewidth=0.6)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def cpu(figures: Figures) -> Figure | None:
    """Milliseconds of CPU of a roll and of an act, by process."""
    kinds = {"a roll": ("intake", "uploads", "rolls"), "an act": ("acts", "acts", "acts")}
    spent = {kind: _ms_each(figures, *keys) for kind, keys in kinds.items()}
    told = {kind: by_process for kind, by_process in spent.items() if by_process}
    if not told:
        return None
    names = _most(told.values())
    figure = Figure(figsize=(9, 0.9 + 0.95 * len(told)), layout="constrained")
    figure.suptitle("CPU of a roll and of an act, by process", fontsize=11, x=0.01, ha="left")
    for axes, (kind, by_process) in zip(
        figure.subplots(len(told), squeeze=False)[:, 0], told.items(), strict=True
    ):
        _stack(axes, kind, by_process, names)
    figure.legend(figure.axes[0].patches, [*names, _OTHERS, _LOAD], frameon=False, loc="outside right center")
    figure.axes[-1].set_xlabel("ms of one core")
    return figure


def growth(figures: Figures) -> Figure | None:
    """What a pupil costs, portion after portion."""
    portions: Sequence[Figures] = figures.get("growth", ())
    if not portions:
        return None
    ratio = f": last / first = {figures['growth_ratio']:.2f}" if figures.get("growth_ratio") else ""
    figure, axes = _figure(f"Growth: time a pupil, portion after portion{ratio}", 2.8)
    kinds = {"us_per_pupil": "until applied", "cpu_us_per_pupil": "CPU, all processes"}
    for number, (key, name) in enumerate(kinds.items()):
        at = [place + 0.38 * (number - 0.5) for place in range(len(portions))]
        drawn = axes.bar(at, [p[key] for p in portions], width=0.36, color=COLOURS[number], label=name)
        axes.bar_label(drawn, fmt=lambda value: f"{value:.0f}", padding=2)
    axes.set_xticks(range(len(portions)), [f"{p['portion']}\n{p['pupils']:,} pupils" for p in portions])
    axes.set_ylabel("µs a pupil")
    axes.margins(y=0.15)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def memory(figures: Figures) -> Figure | None:
    """The largest process of each service, against what one may have."""
    sizes: Figures = figures.get("rss_mib", {})
    told = dict(sorted(((name, mib) for name, mib in sizes.items() if mib), key=lambda item: -item[1]))
    if not told:
        return None
    figure, axes = _figure("Memory: the largest process of each service", 0.9 + 0.2 * len(told))
    colours = [COLOURS[0] if mib <= MEMORY_MIB else COLOURS[5] for mib in told.values()]
    _bars(axes, told, colours, lambda value: f"{value:.0f}")
    axes.axvline(MEMORY_MIB, color=_GREY, linestyle="dashed")
    axes.text(MEMORY_MIB, len(told) - 1, f" {MEMORY_MIB} MiB", va="center")
    axes.set_xlim(0, 1.12 * max(MEMORY_MIB, *told.values()))
    axes.set_xlabel("MiB, the most at once")
    return figure


PICTURES: Final[dict[str, Callable[[Figures], Figure | None]]] = {
    "intake": intake,
    "acts": acts,
    "cpu": cpu,
    "growth": growth,
    "memory": memory,
}


def _figure(title: str, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11)
    return figure, axes


def _bars(axes: Axes, told: Figures, colours: Sequence[str], label: Callable[[float], str]) -> None:
    """A horizontal bar for each, the first on top, its value beside it."""
    drawn = axes.barh(list(told), list(told.values()), color=list(colours), height=0.7)
    axes.bar_label(drawn, labels=[label(value) for value in told.values()], padding=3)
    axes.invert_yaxis()
    axes.margins(y=0.02)


def _most(told: Iterable[Mapping[str, float]]) -> list[str]:
    """The processes that have most of either, in the order they are told in; as many as there are colours."""
    shares: Counter[str] = Counter()
    for by_process in told:
        whole = sum(by_process.values())
        shares.update({name: ms / whole for name, ms in by_process.items() if name != _LOAD})
    return [name for name, _ in shares.most_common(len(_PROCESSES))]


def _stack(axes: Axes, kind: str, by_process: Mapping[str, float], names: Sequence[str]) -> None:
    """One bar: a part for each of `names`, also if it is nothing, so that the legend has all; the others; the load; and the
    sum at its end."""
    parts = [by_process.get(name, 0.0) for name in names]
    load = by_process.get(_LOAD, 0.0)
    parts += [sum(by_process.values()) - sum(parts) - load, load]
    began = 0.0
    for part, colour in zip(parts, [*_PROCESSES[: len(names)], "#d0d0d0", _GREY], strict=True):
        axes.barh([kind], [part], left=began, color=colour, height=0.6)
        began += part
    axes.text(began, 0, f"  {began:.1f} ms", va="center")
    axes.set_xlim(0, began * 1.12)


def _ms_each(figures: Figures, key: str, counted: str, part: str) -> dict[str, float]:
    """Process → ms of CPU for each that was asked, and the load's own; {} where the summary does not tell."""
    spent: Figures = figures.get(f"{key}_cpu_seconds", {})
    number = figures.get(counted, {}).get("answers")
    if not number or not sum(spent.values()):
        return {}
    load = figures.get("generator_cpu_seconds", {}).get(part, 0.0)
    return {name: 1000 * seconds / number for name, seconds in {**spent, _LOAD: load}.items()}


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
