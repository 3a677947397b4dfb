"""Problems: a stable type, Thai first and English on request, and never a word of what failed inside."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from marshmallow import Schema, fields
from werkzeug.test import TestResponse

from services.contracts.refusal import Refusal
from services.kit.errors import Problem, not_found, problem_body, register_errors
from services.kit.http import body

SECRET = "เด็กหญิง มานี ใจดี 1100500000001"


class _Sentence(Schema):
    sentence = fields.String(required=True)


def _raising() -> dict[str, Callable[[], Any]]:
    def late() -> None:
        raise Refusal(409, "outside-window", "ปิดรับแล้ว", "It is closed", window={"closes": "16:30"})

    def sour() -> None:
        raise RuntimeError(SECRET)

    def hidden() -> None:
        raise not_found()

    def busy() -> None:
        raise Problem(503, "busy", "รอสักครู่", "Wait a moment", headers={"Retry-After": "5"})

    def teapot() -> None:
        abort(418, description=SECRET)

    def parsed() -> dict[str, object]:
        return body(_Sentence())

    return {"late": late, "sour": sour, "hidden": hidden, "busy": busy, "teapot": teapot, "parsed": parsed}


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("errors")
    app.config["MAX_CONTENT_LENGTH"] = 2000
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    register_errors(app)
    for name, view in _raising().items():
        app.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])
    return app.test_client()


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    said: dict[str, Any] = json.loads(answer.data)
    assert (said["type"], said["status"]) == (f"/problems/{code}", status)
    assert said["detail_th"]
    assert said["detail_en"]
    return said


def test_a_refusal_says_what_and_more(client: FlaskClient) -> None:
    said = problem(client.get("/late"), 409, "outside-window")
    assert said["window"] == {"closes": "16:30"}
    assert said["title"] == "outside window"


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        (None, "th"),
        ("", "th"),
        ("th", "th"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("th-TH,th;q=0.9,en;q=0.8", "th"),
        ("en;q=0.9,th;q=0.1", "en"),
        ("de,fr;q=0.5", "th"),
        ("*", "th"),
        ("en;q=0", "th"),
        (";;;,,==q=\x80", "th"),
        ("e" * 4000, "th"),
    ],
)
def test_the_detail_is_in_the_language_asked_for_and_thai_otherwise(
    client: FlaskClient, accepts: str | None, language: str
) -> None:
    headers = {} if accepts is None else {"Accept-Language": accepts}
    said = problem(client.get("/late", headers=headers), 409, "outside-window")
    assert said["detail"] == said[f"detail_{language}"]


def test_what_failed_inside_stays_inside(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/sour")
    said = problem(answer, 500, "unexpected")
    assert "correlation_id" in said
    assert SECRET not in answer.get_data(as_text=True)
    logged = [record for record in caplog.records if record.message == "unexpected error"]
    assert len(logged) == 1
    assert SECRET not in str(vars(logged[0]))
    assert logged[0].__dict__["error"] == "RuntimeError"
    assert any("sour" in line for line in logged[0].__dict__["stack"]), (
        "where it failed is there, what it held is not"
    )


@pytest.mark.parametrize("path", ["/hidden", "/no/such/address"])
def test_what_is_hidden_looks_like_what_is_not_there(client: FlaskClient, path: str) -> None:
    said = problem(client.get(path), 404, "not-found")
    there = problem(client.get("/hidden"), 404, "not-found")
    assert {**said, "correlation_id": ""} == {**there, "correlation_id": ""}


def test_headers_of_a_problem_are_headers_and_not_members(client: FlaskClient) -> None:
    answer = client.get("/busy")
    assert answer.headers["Retry-After"] == "5"
    assert "headers" not in problem(answer, 503, "busy")


def test_a_status_without_words_of_its_own_has_a_code_and_no_description(client: FlaskClient) -> None:
    answer = client.get("/teapot")
    problem(answer, 418, "http-418")
    assert SECRET not in answer.get_data(as_text=True)


def test_methods_that_are_not_taken(client: FlaskClient) -> None:
    problem(client.delete("/late"), 405, "method-not-allowed")


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"null", b'"text"', b"{", b"\xff\xfe", b"<xml/>", b"[" * 1900, b"{'sentence': 1}", b"1e999"],
    ids=["list", "null", "text", "half", "bytes", "xml", "endless", "python", "infinite"],
)
def test_a_body_that_is_no_object_is_one_problem(client: FlaskClient, raw: bytes) -> None:
    problem(client.post("/parsed", data=raw), 400, "not-json")


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"sentence": 7}', b'{"sentence": "x", "grants": "hq"}'])
def test_a_body_that_does_not_fit_names_the_fields(client: FlaskClient, raw: bytes) -> None:
    said = problem(client.post("/parsed", data=raw), 422, "invalid-body")
    assert set(said["errors"]) <= {"sentence", "grants"}
    assert said["errors"]


def test_a_body_that_does_not_fit_is_not_quoted(client: FlaskClient) -> None:
    raw = json.dumps({"sentence": ["เด็กหญิง มานี"]}).encode()
    assert "มานี" not in client.post("/parsed", data=raw).get_data(as_text=True)


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    problem(client.post("/parsed", data=b'{"sentence": "' + b"x" * 3000 + b'"}'), 413, "too-large")


def test_a_problem_can_be_told_without_a_request() -> None:
    said = problem_body(Refusal(409, "some-code", "ไทย", "English"), english=True)
    assert said["detail"] == "English"
    assert str(Refusal(409, "some-code", SECRET, SECRET)) == "some-code", "what may reach a log is the code"
