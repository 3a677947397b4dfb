"""Forms inside forms: what a person sent when there was no place, as the edge's page gives it back to be sent again
(gateway/edge/waiting.py). Not here: tickets (services/kit/tickets.py).
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlencode

from services.kit.tickets import TICKET_FIELD

HELD_FIELD = "held"
FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 64 * 1024


class Unfold:
    """A form that comes out of the edge's page holds the form that was first sent, and its ticket; the application
    sees that one, as if it had come now. Anything else passes as it is."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        is_form = str(environ.get("CONTENT_TYPE", "")).startswith(FORM)
        if is_form and length.isdecimal() and 0 < int(length) <= _MOST_BYTES:
            body = unfolded(environ["wsgi.input"].read(int(length)))
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        answer: Iterable[bytes] = self._app(environ, start)
        return answer


def unfolded(body: bytes) -> bytes:
    """The form inside a form, or the body itself if it holds none."""
    if not body.startswith(f"{HELD_FIELD}=".encode()):
        return body
    found = parse_qs(body.decode("ascii", "replace"))
    try:
        inner = base64.b64decode(found[HELD_FIELD][0], validate=True)
    except (KeyError, binascii.Error):
        return body
    kept = {TICKET_FIELD: found[TICKET_FIELD][0]} if TICKET_FIELD in found else {}
    return b"&".join(part for part in (inner, urlencode(kept).encode()) if part)
