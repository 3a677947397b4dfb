"""When there is no place for a person just now: the page that waits with them and goes on by itself.

A page that was only read is loaded again. A form is held in the page with all its fields, and an act keeps the ticket of
the first time it came, so that it counts from then (services/kit/tickets.py). Not here: what the edge shows when it could
not even reach the portal (gateway/edge/waiting.py); the page's script (static/waiting.js).
"""

from __future__ import annotations

import random
import time
from datetime import timedelta

from flask import Response, g, make_response, render_template, request

from gateway.portal import language
from gateway.portal.neighbours import Away, ticket
from services.kit.http import runtime
from services.kit.logs import correlation_id
from services.kit.tickets import TICKET_FIELD, stamp_of_form

SOONEST, LATEST = 5, 12
"""Seconds after which a page without a script is loaded again: a moment of its own for each."""
SCRIPT_HEADER, NEXT_HEADER = "X-Tabian-Script", "X-Tabian-Next"


def show(away: Away) -> Response:
    """The waiting page, 503. Says when the act arrived if a ticket keeps that, and how many wait if that is known."""
    kept = ticket()
    page = render_template(
        "waiting.html",
        away=away,
        fields=_fields(),
        kept=kept,
        arrived=_arrived(kept) if kept else "",
        upload=bool(request.files),
        pause=random.randint(SOONEST, LATEST),
        correlation=correlation_id(),
    )
    answer = make_response(page, 503)
    answer.headers["Retry-After"] = str(away.retry_seconds)
    if away.queue:
        answer.headers["X-Tabian-Queue"] = str(away.queue)
    return answer


def without_database(_: Exception) -> Response:
    """The same where the portal's own database is what does not answer: nothing more is asked of it."""
    g.visitor = g.get("visitor")
    return show(Away())


def shift() -> int:
    """How far the round clock is ahead of real time, in ms: a ticket's stamp is real, what people read is the round's."""
    return round((runtime().clock.now().timestamp() - time.time()) * 1000)


def for_script(answer: Response) -> Response:
    """Where the page's script sent the form, it is told where to go next instead of being led there: a script that
    followed by itself would use up the message that waits for the person on that page."""
    if SCRIPT_HEADER in request.headers and "Location" in answer.headers:
        answer.headers[NEXT_HEADER] = answer.headers.pop("Location")
        answer.status_code = 200
        answer.set_data("")
    return answer


def _fields() -> list[tuple[str, str]] | None:
    """The form as it was sent, but for its ticket; None for a page that was only read."""
    if request.method == "GET":
        return None
    return [(name, value) for name, value in request.form.items(multi=True) if name != TICKET_FIELD]


def _arrived(kept: str) -> str:
    """When the act first came, as the round's time of day with seconds."""
    came = runtime().clock.now() - timedelta(seconds=time.time() - stamp_of_form(kept) / 1000)
    return language.clock_second(came)
