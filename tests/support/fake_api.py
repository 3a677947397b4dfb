"""A stand-in for the services behind the portal: their HTTP shapes with one school, one duplicate and one round.

It checks tokens as the services do, remembers what was asked of it, moves its one school through the states, and can
be told to refuse or to be away. Not here: any rule of the services.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx
from flask import Flask, Response, jsonify, request

from services.kit.auth import Principal, verify
from services.kit.errors import Problem, problem_response
from services.kit.keys import Keys
from services.kit.tickets import TICKET_HEADER
from tests.support import fake_data as data

ROUND, SCHOOL, ESA = data.ROUND, data.SCHOOL, data.ESA
_ACTS = {
    ("POST", "confirmation"): ("confirm", "confirmed"),
    ("DELETE", "confirmation"): ("undo", "ready"),
    ("POST", "certification"): ("certify", "certified"),
    ("POST", "acknowledgement"): ("acknowledge", "acknowledged"),
    ("POST", "cancellation"): ("cancel", "ready"),
}


class FakeServices:
    """The services as one WSGI application. `away`: path parts that do not answer, and `full` the
    headers they say so with; `refusals`: path part → Problem."""

    def __init__(self, keys: Path) -> None:
        self.keys = Keys(keys)
        self.school = data.school()
        self.findings, self.upload = data.findings(), data.upload()
        self.cases, self.closure = data.cases(), dict[str, Any]()
        self.exports: list[dict[str, Any]] = []
        self.away: set[str] = set()
        self.full: dict[str, str] = {}
        self.refusals: dict[str, Problem] = {}
        self.calls: list[tuple[str, str, Any, str]] = []
        self.tokens: list[Principal] = []
        self.tickets: list[str] = []
        self.checks_left = 0
        self.app = Flask("fake_services", static_folder=None)
        self._routes()

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.WSGITransport(self.app), base_url="http://tabian")

    def sent(self, method: str, ending: str) -> tuple[Any, str]:
        """(JSON body, If-Match) of the last such request."""
        found = [call for call in self.calls if call[0] == method and call[1].endswith(ending)]
        return found[-1][2], found[-1][3]

    def act(self, method: str, act: str) -> Response:
        name, state = _ACTS[method, act]
        self.school["state"] = state
        self.school["may"] = data.MAY[state]
        self.school["blocks"] = []
        self.school["acts"] = [*self.school["acts"], data.done(name, self.tokens[-1].name)]
        return jsonify(receipt={"payload": {"act": name}}, submission={"state": state})

    def _routes(self) -> None:
        app, one = self.app, f"/api/v1/rounds/{ROUND}/schools/{SCHOOL}"
        app.before_request(self._enter)
        app.register_error_handler(Problem, problem_response)
        for method, act in _ACTS:
            app.add_url_rule(
                f"{one}/{act}", f"{method}-{act}", lambda m=method, a=act: self.act(m, a), methods=[method]
            )
        app.add_url_rule(one, "school", lambda: jsonify(self.school))
        app.add_url_rule(f"{one}/roster", "roster", self._roster, methods=["GET", "PUT"])
        app.add_url_rule(f"{one}/receipts", "receipts", lambda: jsonify(receipts=[{"payload": {}}]))
        app.add_url_rule(f"{one}/explanations", "explain", lambda: jsonify(state="draft"), methods=["POST"])
        app.add_url_rule(
            f"{one}/roster/students/<key>", "pupil", self._pupil, methods=["GET", "PATCH", "DELETE"]
        )
        app.add_url_rule("/api/v1/uploads/<upload>", "upload", self._upload)
        app.add_url_rule("/api/v1/uploads/<upload>/findings", "findings", self._findings)
        self._oversight()

    def _oversight(self) -> None:
        app, round_ = self.app, f"/api/v1/rounds/{ROUND}"
        app.add_url_rule("/api/v1/rounds", "rounds", lambda: jsonify(rounds=data.rounds()))
        app.add_url_rule("/api/v1/rounds", "open", lambda: jsonify(round=ROUND), methods=["POST"])
        app.add_url_rule(f"{round_}/extensions", "extend", lambda: jsonify({}), methods=["POST"])
        app.add_url_rule(f"{round_}/schools", "schools", self._schools)
        app.add_url_rule(f"{round_}/schools/<code>/acknowledgement", "others", self._other, methods=["POST"])
        app.add_url_rule(f"{round_}/duplicates", "duplicates", lambda: jsonify(cases=self.cases, next=None))
        for act in ("evidence", "decision"):
            app.add_url_rule(f"/api/v1/duplicates/<case>/{act}", act, self._case, methods=["POST"])
        app.add_url_rule(f"{round_}/closure", "closure", self._closure, methods=["GET", "POST", "DELETE"])
        app.add_url_rule(f"{round_}/snapshot", "snapshot", lambda: jsonify(seal=data.seal()))
        app.add_url_rule(f"{round_}/snapshot/proofs/<code>", "proof", lambda code: jsonify(school=code))
        app.add_url_rule(f"{round_}/reports/counts", "counts", lambda: jsonify(data.counts()))
        app.add_url_rule(f"{round_}/budget", "budget", lambda: jsonify(data.budget()))
        app.add_url_rule(f"{round_}/exports", "exports", self._exports, methods=["GET", "POST"])
        app.add_url_rule("/api/v1/exports/<export>/files/<name>", "file", self._file)

    def _enter(self) -> Response | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.tokens.append(verify(token, self.keys))
        self.tickets.append(request.headers.get(TICKET_HEADER, ""))
        is_json = request.is_json and request.data
        self.calls.append(
            (
                request.method,
                request.path,
                request.get_json() if is_json else request.get_data(),
                request.headers.get("If-Match", ""),
            )
        )
        if any(part in request.path for part in self.away):
            return Response("no server is available", 503, headers=self.full)
        for part, problem in self.refusals.items():
            if part in request.path:
                raise problem
        return None

    def _roster(self) -> Any:
        if request.method == "GET":
            return Response("school_code\n", mimetype="text/csv", headers={"ETag": f'"{data.SHA256}"'})
        self.upload |= {"state": "checking", "content": hashlib.sha256(request.get_data()).hexdigest()}
        self.school["upload"] = self.upload
        self.checks_left = 1
        return jsonify(upload=self.upload["upload"], state="received"), 202

    def _upload(self, upload: str) -> Response:
        if self.upload["state"] == "checking":
            self.checks_left -= 1
            if self.checks_left < 0:
                self.upload["state"] = "accepted"
        return jsonify(self.upload | {"upload": upload})

    def _findings(self, upload: str) -> Response:
        if request.accept_mimetypes.best == "text/csv":
            return Response("\ufeffrow,severity\n", mimetype="text/csv")
        return jsonify(findings=self.findings)

    def _pupil(self, key: str) -> Any:
        if request.method == "GET":
            return jsonify(key=key, line=7, values=data.values(), sha256=data.SHA256)
        return jsonify(upload=self.upload["upload"], state="received"), 202

    def _schools(self) -> Response:
        state = request.args.get("state", "")
        rows = [row for row in data.schools() if state in ("", row["state"])]
        return jsonify(schools=rows, next=None, summary=data.summary())

    def _other(self, code: str) -> Response:
        return jsonify(receipt={}, submission={"school": code})

    def _case(self, case: str) -> Response:
        self.school["cases"][0] |= {"answer": "ours", "sentence": "มาเรียนทุกวัน"}
        return jsonify(case=case)

    def _closure(self) -> Any:
        if request.method == "POST":
            self.closure = data.closure("fenced")
        if request.method == "DELETE":
            self.closure = data.closure("aborted")
        if not self.closure:
            raise Problem(404, "not-found", "ยังไม่มีการปิดรอบ", "There is no closing yet")
        return jsonify(self.closure)

    def _exports(self) -> Response:
        if request.method == "POST":
            self.exports = data.exports()
        return jsonify(exports=self.exports)

    def _file(self, export: str, name: str) -> str:
        return f"{export} {name}\n"
