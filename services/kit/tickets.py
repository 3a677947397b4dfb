"""Tickets: the edge's word that it turned an act away, and when. Who was refused for lack of room comes again with one.

`<unix ms>.<hex HMAC-SHA256>` over `<unix ms> <method> <path> <subject>`, so a ticket serves one person for one act at
one place. The edge makes them (gateway/edge), the service checks them. Not here: what a ticket is good for.
"""

from __future__ import annotations

import hashlib
import hmac
import re

TICKET_HEADER = "X-Tabian-Ticket"
TICKET_FIELD = "ticket"
"""The same in a form that is sent again from a page."""
OLDEST_SECONDS = 24 * 3600
_FORM = re.compile(r"([0-9]{13})\.([0-9a-f]{64})")


def make(key: bytes, stamp: int, method: str, path: str, subject: str) -> str:
    """The ticket for a request that arrived at `stamp` (real unix ms)."""
    said = f"{stamp} {method} {path} {subject}".encode()
    return f"{stamp}.{hmac.new(key, said, hashlib.sha256).hexdigest()}"


def is_ticket(text: str) -> bool:
    """Whether it has a ticket's form; only `stamp_of` tells whether it is genuine."""
    return _FORM.fullmatch(text) is not None


def stamp_of_form(ticket: str) -> int:
    """The stamp that something of a ticket's form claims (real unix ms)."""
    return int(ticket.partition(".")[0])


def stamp_of(ticket: str, key: bytes, method: str, path: str, subject: str, now: float) -> int | None:
    """When the request of a genuine ticket arrived (real unix ms); None for any other, or one older than a day.
    `now`: real unix seconds."""
    form = _FORM.fullmatch(ticket)
    if form is None:
        return None
    stamp = int(form[1])
    if not 0 <= now - stamp / 1000 <= OLDEST_SECONDS:
        return None
    genuine = hmac.compare_digest(ticket, make(key, stamp, method, path, subject))
    return stamp if genuine else None
