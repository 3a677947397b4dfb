"""The services as the pages reach them: by their HTTP APIs only, with the signed-in person's token.

A refusal is `Refused` with the service's own words in both languages; a service that does not answer or has no place is
`Away`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from flask import g, request

from gateway.portal.sessions import person
from services.contracts.refusal import Refusal
from services.kit.http import RECEIVED_HEADER, runtime
from services.kit.logs import travelling
from services.kit.tickets import TICKET_FIELD, TICKET_HEADER, is_ticket

READ_SECONDS, SEND_SECONDS = 20.0, 90.0
QUEUE_HEADER = "X-Tabian-Queue"
_AWAY = (502, 503, 504)


class Refused(Refusal):
    """A service said no; why, in its own words."""


class Away(Refusal):
    """A service does not answer or is overloaded; nothing was lost, and trying again is right. `retry_seconds`: when,
    by its own word; `queue`: how many wait there, 0 if unknown."""

    def __init__(self, retry_seconds: int = 5, queue: int = 0) -> None:
        self.retry_seconds, self.queue = retry_seconds, queue
        super().__init__(
            503,
            "service-away",
            "ส่วนนี้ของระบบยังไม่ตอบ ข้อมูลที่ส่งแล้วไม่หาย โปรดรอสักครู่แล้วลองใหม่",
            "This part of the system does not answer just now. What you sent is safe; wait a moment and try again",
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page that may fail on its own: its data, or why there is none."""

    data: Any = None
    problem: Refused | Away | None = None


def path(*parts: str) -> str:
    """An API path; each part is one segment, escaped."""
    return "/api/v1/" + "/".join(quote(part, safe="") for part in parts)


def ask(
    method: str,
    url: str,
    *,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    if_match: str | None = None,
) -> Any:
    """Send a request and return the JSON answer ({} for none). Raises Refused or Away."""
    headers = _version(if_match)
    wanted = {key: value for key, value in (params or {}).items() if value not in (None, "")}
    return _answer(_send(method, url, headers, params=wanted, json=json))


def part(url: str, key: str = "", **params: Any) -> Part:
    """One member of an answer, or all of it; a page with a part missing is still a page."""
    try:
        answer = ask("GET", url, params=params)
        return Part(data=answer.get(key) if key else answer)
    except (Refused, Away) as problem:
        return Part(problem=problem)


def send_file(url: str, stream: Any, *, media_type: str, filename: str, if_match: str | None = None) -> Any:
    """PUT a file, streamed; the name travels percent-encoded. Raises Refused or Away."""
    headers = {"Content-Type": media_type, "X-Filename": quote(filename)} | _version(if_match)
    return _answer(_send("PUT", url, headers, content=stream, timeout=SEND_SECONDS))


def fetch(url: str, *, accept: str) -> tuple[Iterator[bytes], httpx.Headers]:
    """A file from a service, streamed. Raises Refused or Away before the first byte."""
    response = _send("GET", url, {"Accept": accept}, stream=True, timeout=SEND_SECONDS)
    if response.status_code >= 400:
        response.read()
        _answer(response)
    return _chunks(response), response.headers


def _version(if_match: str | None) -> dict[str, str]:
    return {"If-Match": f'"{if_match}"'} if if_match is not None else {}


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes(64 * 1024)
    finally:
        response.close()


def _send(
    method: str, url: str, headers: dict[str, str], *, stream: bool = False, **more: Any
) -> httpx.Response:
    client: httpx.Client = runtime().parts["api"]
    built = client.build_request(
        method, url, headers=headers | _travelling(), **{"timeout": READ_SECONDS, **more}
    )
    try:
        return client.send(built, stream=stream)
    except httpx.HTTPError as problem:
        raise Away from problem


def ticket() -> str:
    """The ticket of the act in this request: of the first time it came, if the form holds that; "" for none."""
    shown = (
        (request.form.get(TICKET_FIELD, ""), request.headers.get(TICKET_HEADER, ""))
        if request.method == "POST"
        else ()
    )
    return next((one for one in shown if is_ticket(one)), "")


def _travelling() -> dict[str, str]:
    """Who asks, under which correlation id, and when the person's own request arrived."""
    if "bearer" not in g:
        g.bearer = person().token()
    headers = {"Authorization": f"Bearer {g.bearer}", **travelling()}
    if received := request.headers.get(RECEIVED_HEADER):
        headers[RECEIVED_HEADER] = received
    if shown := ticket():
        headers[TICKET_HEADER] = shown
    return headers


def _answer(response: httpx.Response) -> Any:
    try:
        data = response.json() if response.content else {}
    except ValueError:
        data = {}
    if response.status_code < 400:
        return data
    if response.status_code in _AWAY:
        raise Away(_number(response, "Retry-After", 5), _number(response, QUEUE_HEADER, 0))
    if not isinstance(data, dict) or "detail_th" not in data:
        raise Away
    code, why = str(data.get("type", "")).removeprefix("/problems/"), _faults(data.get("errors"))
    raise Refused(response.status_code, code, data["detail_th"] + why, data["detail_en"] + why)


def _number(response: httpx.Response, header: str, otherwise: int) -> int:
    """A small number in a header; `otherwise` for anything else."""
    text = response.headers.get(header, "")
    return min(int(text), 100_000) if text.isdecimal() else otherwise


def _faults(errors: Any) -> str:
    """What a service found wrong with each field, its own words, for the first few."""
    if not isinstance(errors, Mapping):
        return ""
    told = [
        f"{name}: {said[0] if isinstance(said, list) and said else said}" for name, said in errors.items()
    ]
    return f" ({'; '.join(told[:3])})"
