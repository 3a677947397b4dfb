"""How a page answers a form: try it, say what came of it, and go back to a page that shows the new state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from gateway.portal.language import reason, t
from gateway.portal.neighbours import Refused

Answer = Response | BaseResponse | str | tuple[str, int]


def tried(send: Callable[[], Any], done: tuple[str, str], back: str) -> BaseResponse:
    """Do it; then redirect to `back` with the outcome in the page's language. Raises Away."""
    try:
        send()
    except Refused as problem:
        flash(reason(problem), "danger")
    else:
        flash(t(*done), "success")
    return redirect(back, 303)


def typed(name: str, *, most: int = 2000) -> str:
    """A form field without surrounding blanks, cut at `most` characters."""
    return request.form.get(name, "").strip()[:most]


def local(address: str | None) -> str:
    """A path on this site, else "": an address to come back to is never trusted to be one."""
    text = address or ""
    plain = text.startswith("/") and not text.startswith("//") and text.isprintable()
    return text if plain and "\\" not in text and len(text) < 500 else ""
