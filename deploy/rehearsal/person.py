"""A person at work through the HTTP API and nothing else: signs in, keeps the token fresh, waits when told to wait."""

from __future__ import annotations

import time
import urllib.parse
from typing import Any

import httpx

from deploy.rehearsal.journal import Journal

WAIT_SECONDS = 60.0
AWAY = (502, 503, 504)


class Unexpected(RuntimeError):
    """The system answered what the scenario did not expect; the text is the problem's code and place."""


class Person:
    """One account. Tokens are fetched when first needed and again when they expired."""

    def __init__(
        self,
        client: httpx.Client,
        username: str,
        password: str,
        journal: Journal | None = None,
        patience: float = 1.0,
    ) -> None:
        self.username = username
        self._patience = WAIT_SECONDS * patience
        self._client, self._password, self._journal = client, password, journal
        self._token = ""

    def sign_in(self, *, step_up: bool = False) -> None:
        """Sign in, or step up: the password once more, for acts that ask for it."""
        body = {"username": self.username, "password": self._password, "step_up": step_up}
        answer = self._post_password(body)
        if answer.is_error:
            raise Unexpected(f"{self.username} cannot sign in: {problem_of(answer)}")
        self._token = answer.json()["access_token"]

    def bearer(self) -> dict[str, str]:
        """The header that says who asks, after signing in if need be."""
        if not self._token:
            self.sign_in()
        return {"Authorization": f"Bearer {self._token}"}

    def _post_password(self, body: dict[str, Any]) -> httpx.Response:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                answer = self._client.post("/api/v1/tokens", json=body)
                if answer.status_code not in AWAY or time.monotonic() > deadline:
                    return answer
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.3)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request; repeated while the system is away or busy, and once with a fresh token after a 401.

        Every request of the scenario may be repeated: uploads are named by their bytes, acts by their version.
        """
        headers = options.pop("headers", {})
        deadline = time.monotonic() + self._patience
        renewed = False
        while True:
            answer = self._try(method, path, deadline, headers={**headers, **self.bearer()}, **options)
            if answer is None:
                time.sleep(0.3)
            elif answer.status_code == httpx.codes.UNAUTHORIZED and not renewed:
                self.sign_in()
                renewed = True
            else:
                return answer

    def _try(self, method: str, path: str, deadline: float, **options: Any) -> httpx.Response | None:
        """The answer, noted in the journal; None for none worth having yet: what became of it is not known then."""
        try:
            answer = self._client.request(method, path, **options)
        except httpx.TransportError:
            self._note_maybe(method, path)
            if time.monotonic() > deadline:
                raise
            return None
        if answer.status_code in AWAY and time.monotonic() < deadline:
            self._note_maybe(method, path)
            time.sleep(float(answer.headers.get("Retry-After", "0")))
            return None
        if self._journal is not None:
            self._journal.answer(self.username, answer)
        return answer

    def _note_maybe(self, method: str, path: str) -> None:
        if self._journal is not None:
            self._journal.maybe(self.username, method, path)

    def ask(self, path: str, **params: str) -> Any:
        """GET as JSON; raises Unexpected on a problem."""
        return self._expect(self.send("GET", path, params=params))

    def do(self, method: str, path: str, body: Any = None, *, sha256: str = "") -> Any:
        """An act with a JSON body and, if given, the version it means; raises Unexpected on a problem."""
        return self._expect(self.attempt(method, path, body, sha256=sha256))

    def attempt(self, method: str, path: str, body: Any = None, *, sha256: str = "") -> httpx.Response:
        """The same, whatever the answer."""
        headers = {"If-Match": f'"{sha256}"'} if sha256 else {}
        return self.send(method, path, json=body if body is not None else {}, headers=headers)

    def upload(self, path: str, content: bytes, filename: str) -> dict[str, Any]:
        """PUT a file and wait until it is checked; the finished upload."""
        headers = {"X-Filename": urllib.parse.quote(filename), "Content-Type": "application/octet-stream"}
        taken = self._expect(self.send("PUT", path, content=content, headers=headers))
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            upload: dict[str, Any] = self.ask(f"/api/v1/uploads/{taken['upload']}")
            if upload["state"] not in ("received", "checking"):
                return upload
            time.sleep(0.05)
        raise Unexpected(f"upload {taken['upload']} was not checked within {self._patience:.0f} s")

    def _expect(self, answer: httpx.Response) -> Any:
        if answer.is_error:
            raise Unexpected(
                f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {problem_of(answer)}"
            )
        return answer.json()


def problem_of(answer: httpx.Response) -> str:
    """The stable code of a problem answer, or its status."""
    try:
        return str(answer.json()["type"]).rsplit("/", 1)[-1]
    except (ValueError, KeyError):
        return str(answer.status_code)
