"""The operations page: the day from Prometheus as pictures and numbers, and the alerts that are on.

It asks no service: it is there when they are not. Headquarters sees it too.
"""

from __future__ import annotations

import time
from datetime import datetime

from flask import Blueprint, render_template, request

from gateway.portal import day, pictures
from gateway.portal.language import clock_second
from gateway.portal.pages.answers import Answer
from gateway.portal.pictures import Drawn, Span, words_of
from gateway.portal.prometheus import NoFigures, Prometheus, Series
from gateway.portal.sessions import signed_in
from services.contracts.access import HQ, OPS
from services.contracts.calendar import BANGKOK
from services.kit.http import runtime

SPANS = {"15m": 900, "1h": 3600, "8h": 28_800}
"""What one may look back to, in seconds."""
NOWHERE = Prometheus("")
_USUAL, _POINTS, _LEAST_STEP = "1h", 120, 15
"""Points of a picture; Prometheus knows a new one every 15 seconds."""


def blueprint() -> Blueprint:
    operations = Blueprint("operations", __name__)
    operations.add_url_rule("/operations", "show", show)
    return operations


@signed_in(OPS, HQ)
def show() -> Answer:
    """The whole page; without Prometheus it says so and what to do."""
    chosen = request.args.get("span", "")
    chosen = chosen if chosen in SPANS else _USUAL
    about = {"span": chosen, "spans": SPANS, "now": clock_second(datetime.now(BANGKOK))}
    prometheus: Prometheus = runtime().parts.get("prometheus", NOWHERE)
    try:
        found = {
            "alerts": prometheus.alerts(),
            "figures": [_figure(prometheus, one) for one in day.FIGURES],
            "pictures": _pictures(prometheus, SPANS[chosen]),
        }
    except NoFigures as problem:
        return render_template("operations.html", problem=problem, **about)
    return render_template("operations.html", **about, **found)


def _figure(prometheus: Prometheus, one: day.Figure) -> dict[str, object]:
    value = prometheus.now(one.query)
    trouble = one.most is not None and value is not None and value > one.most
    return {"about": one, "text": words_of(one.unit)(value), "trouble": trouble}


def _pictures(prometheus: Prometheus, seconds: int) -> list[Drawn]:
    step = max(_LEAST_STEP, seconds // _POINTS)
    until = time.time() // step * step  # the same moments at every look, so that lines do not shiver
    span = Span(until - seconds, until, step)

    def asked(one: day.Line) -> list[Series]:
        return prometheus.over(one.query, span.since, span.until, span.step)

    return [pictures.draw(one, [(line, asked(line)) for line in one.lines], span) for one in day.PICTURES]
