"""Writing HAProxy's configuration: the two templates filled in from the tables, and the map of routes.

Not here: what a pool or a route is (pools.py, gateway/routes.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from gateway.edge import waiting
from gateway.edge.pools import (
    ACTS,
    BEHIND,
    OWN_ACTS,
    POOLS,
    PRIORITIES,
    WAITING,
    Lane,
    Pool,
    acts_waiting,
    lane_of,
)
from gateway.routes import PAGES, ROUTES, Route
from services.kit.auth_terms import LEEWAY_SECONDS

HERE: Final = Path(__file__).parent
RETRY_SECONDS: Final = 2
_RESOLVERS = """# the name server tells how many processes a pool has just now
resolvers processes
    @nameserver@
    resolve_retries 3
    timeout resolve 2s
    timeout retry 1s
    hold valid 2s
    hold obsolete 5s
    accepted_payload_size 4096
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What differs between the compose stack (the defaults), a cluster, and a test on one machine. `nameserver`: who knows
    the processes of a pool, by its name and `domain`; `most_processes`: how far a pool can be scaled without a new
    configuration; `edges`: how many edges share the processes' places; `connections`: of clients, at most, at each
    edge; `processes`: pool name → address of its one process, where no name server is asked."""

    public_bind: str = ":8443 ssl crt /run/secrets/edge.pem alpn h2,http/1.1"
    inner_bind: str = ":8081"
    metrics_bind: str = ":8405"
    nobody_api_bind: str = "127.0.0.1:8406"
    nobody_pages_bind: str = "127.0.0.1:8407"
    scheme: str = "https"
    routes: str = "/usr/local/etc/haproxy/routes.map"
    token_key: str = "/run/secrets/token.pub"
    ticket_key: str = "/run/secrets/ticket.key"
    port: int = 8000
    nameserver: str = "nameserver docker 127.0.0.11:53"
    domain: str = ""
    most_processes: int = 8
    edges: int = 1
    connections: int = 2000
    processes: dict[str, str] | None = None
    pools: tuple[Pool, ...] = POOLS


CLUSTER: Final = Site(
    nameserver="parse-resolv-conf",
    domain=".tabian.svc.cluster.local",
    most_processes=16,
    edges=2,
    connections=10_000,
)
"""On Kubernetes (deploy/k8s): its name server answers for headless services, by their full names only."""
PLACES: Final = {HERE: Site(), HERE.parents[1] / "deploy/k8s/base/edge": CLUSTER}
"""Folder → the site whose configuration is kept there."""


def configuration(site: Site) -> str:
    """The text of haproxy.cfg."""
    route = _fill((HERE / "route.cfg").read_text(encoding="utf-8"), {**_refusals(), **_places(site)})
    return _fill(
        (HERE / "template.cfg").read_text(encoding="utf-8"),
        {
            "resolvers": _RESOLVERS if site.processes is None else "",
            "api_errors": "\n".join(_api_errors()),
            "page_errors": "\n".join(_page_errors()),
            "page_rules": "\n".join(_page_rules()),
            "route": route.rstrip("\n"),
            "backends": "\n\n".join(_backend(lane, site) for pool in site.pools for lane in pool.lanes),
            **_places(site),
        },
    )


def routes_map() -> str:
    """The text of routes.map: `METHOD/path` as a regular expression, then queue:class:bytes:guard; the first fit wins."""
    return "".join(f"{_method(route)}{route.regex}$ {_row(route)}\n" for route in (*ROUTES, *PAGES))


def _method(route: Route) -> str:
    return f"^({'|'.join(sorted(route.methods))})" if route.methods else "^[A-Z]+"


def _row(route: Route) -> str:
    return f"{lane_of(route)}:{route.queue}:{route.body}:{'token' if route.guarded else 'open'}"


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _places(site: Site) -> dict[str, str]:
    names = [field.name for field in fields(Site) if field.type in ("str", "int")]
    priorities = (
        f"    http-request set-priority-class int({number}) if {{ var(txn.class) -m str {name} }}"
        for name, number in PRIORITIES.items()
        if number
    )
    return {
        **{name: str(getattr(site, name)) for name in names},
        "leeway": str(LEEWAY_SECONDS),
        "priorities": "\n".join(priorities),
        "own_acts": str(OWN_ACTS),
        "behind": str(BEHIND),
        "acts": ACTS,
        "acts_waiting": str(acts_waiting(site.pools)),
    }


def _backend(lane: Lane, site: Site) -> str:
    pool, at_once = lane.pool, lane.at_once // site.edges
    lines = [
        f"backend {lane.name} from {'pages' if pool.pages else 'api'}",
        f"    timeout queue {pool.wait_seconds}s",
        f"    timeout server {pool.slow_seconds}s",
        *((*_page_rules(), waiting.crowd()) if pool.pages else ()),
        *(_by_person(pool) if lane.name == ACTS else []),
        *_limits(pool),
        "    http-request wait-for-body time 20s at-least 32768 if { var(txn.class) -m str upload act sign-in }",
        "    http-after-response set-header X-Tabian-Queue %[queue] if { status 503 } !{ res.hdr(X-Tabian-Queue) -m found }",
        "    option httpchk",
        "    http-check send meth GET uri /readyz hdr Host health",
        "    http-check expect status 200",
    ]
    if site.processes is None:
        lines.append(
            f"    server-template process {site.most_processes} {pool.name}{site.domain}:{site.port} "
            f"resolvers processes init-addr none maxconn {at_once}"
        )
    else:
        lines.append(f"    server process {site.processes[pool.name]} maxconn {at_once}")
    nobody = site.nobody_pages_bind if pool.pages else site.nobody_api_bind
    lines.append(f"    server nobody {nobody} backup no-check")
    return "\n".join(lines)


def _limits(pool: Pool) -> list[str]:
    """How many may wait: an act may where a reader is asked to come again, and a reader where a report is."""
    deny = "    http-request deny deny_status 503 if {{ queue gt {} }} {}{{ var(txn.class) -m str {} }}"
    each = [deny.format(round(pool.queue * part), "", name) for name, part in WAITING.items()]
    return [*each, deny.format(pool.queue, "!", " ".join(WAITING))]


def _by_person(pool: Pool) -> list[str]:
    """How many acts each person asked for, and how many may wait of who asks too often. In the backend of acts: a backend for the
    table alone would count as a pool that is away."""
    half = round(pool.queue * WAITING["act"] / 2)
    return [
        "    stick-table type string len 64 size 200k expire 20s store http_req_rate(10s)",
        f"    http-request deny deny_status 503 if {{ queue gt {half} }} {{ var(txn.hasty) -m bool }}",
    ]


def _problem(status: int, code: str, th: str, en: str) -> str:
    """An answer with a problem (RFC 9457) as the services word theirs."""
    return f"content-type application/problem+json lf-string '{_problem_body(status, code, th, en)}'"


def _problem_body(status: int, code: str, th: str, en: str) -> str:
    """Its members; `%[…]` in it is HAProxy's."""
    members = {
        "type": f"/problems/{code}",
        "title": code.replace("-", " "),
        "status": status,
        "detail": th,
        "detail_th": th,
        "detail_en": en,
        "correlation_id": "%[var(txn.id)]",
    }
    return json.dumps(members, ensure_ascii=False)


def _refusals() -> dict[str, str]:
    """What the edge refuses by itself, in the services' own words."""
    crooked = (400, "bad-request", "คำขอไม่ถูกรูปแบบ", "The request is malformed")
    missing = "There is no such thing, or it is not yours to see"
    large = "The body is larger than this address takes"
    token = "The access token is not valid; sign in again"
    who = 'hdr WWW-Authenticate "Bearer error=\\"invalid_token\\""'
    unknown = (401, "token-missing", "โปรดเข้าสู่ระบบก่อน", "Sign in first: this address needs an access token")
    expired = (
        401,
        "token-expired",
        "หมดเวลาการเข้าใช้ โปรดเข้าสู่ระบบใหม่",
        "Your sign-in has expired; sign in again",
    )
    return {
        "crooked": _return(*crooked),
        "not_found": _return(404, "not-found", "ไม่พบข้อมูลที่ขอ หรือท่านไม่มีสิทธิ์เห็น", missing),
        "too_large": _return(413, "too-large", "ข้อมูลที่ส่งใหญ่เกินกำหนด", large),
        "token_missing": f"{_return(*unknown)} {who}",
        "token_invalid": f"{_return(401, 'token-invalid', 'บัตรผ่านไม่ถูกต้อง โปรดเข้าสู่ระบบใหม่', token)} {who}",
        "token_expired": f"{_return(*expired)} {who}",
    }


def _return(status: int, code: str, th: str, en: str) -> str:
    return f"status {status} {_problem(status, code, th, en)}"


_BUSY = (
    "ขณะนี้มีผู้ใช้จำนวนมาก โปรดรอสักครู่แล้วลองใหม่ ข้อมูลที่ส่งแล้วไม่หาย",
    "Very many people are here just now; wait a moment and try again. What was taken is safe",
)
_AWAY = (
    "ส่วนนี้ของระบบไม่ตอบ โปรดลองใหม่ หากส่งข้อมูลไว้ ให้ตรวจสอบว่าระบบรับแล้วหรือยัง",
    "This part of the system gave no answer; try again, and look whether what you sent was taken",
)
_SLOW = ("ส่งข้อมูลช้าเกินไป โปรดลองใหม่", "The request came too slowly; try again")
_BAD = ("คำขอไม่ถูกรูปแบบ", "The request is malformed")
_ERRORS = (
    (400, "bad-request", _BAD),
    (408, "too-slow", _SLOW),
    (502, "no-answer", _AWAY),
    (503, "busy", _BUSY),
    (504, "no-answer", _AWAY),
)


def _api_errors() -> list[str]:
    return [
        f"    http-error status {status} {_problem(status, code, *words)}{_again(status)}"
        for status, code, words in _ERRORS
    ]


def _page_errors() -> list[str]:
    """The same where people look on (waiting.py)."""
    kind, policy = "content-type text/html;charset=utf-8", f'hdr Content-Security-Policy "{waiting.policy()}"'
    return [
        f"    http-error status {status} {kind} {policy} lf-string '{waiting.answer(status)}'{_again(status)}"
        for status, _, _ in _ERRORS
    ]


def _page_rules() -> list[str]:
    problems = {status: _problem_body(status, code, *words) for status, code, words in _ERRORS}
    return waiting.rules({status: words for status, _, words in _ERRORS}, problems)


def _again(status: int) -> str:
    return f" hdr Retry-After {RETRY_SECONDS}" if status == 503 else ""
