"""A person at the portal in tests: signs in, follows forms with their CSRF token, and reads pages."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.portal.enrolment import Entry, store
from services.contracts.access import Grant
from services.kit.database import Database

PASSWORD = "long-enough-2564"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def enrol(database: Database, username: str, *grants: tuple[str, str]) -> None:
    entry = Entry(username, f"คุณ{username}", [Grant(*grant) for grant in grants], PASSWORD)
    assert store(database, [entry], replace=True)


class Visitor:
    """One browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, url: str, **more: Any) -> TestResponse:
        return self.client.get(url, **more)

    def page(self, url: str, **more: Any) -> str:
        answer = self.client.get(url, follow_redirects=True, **more)
        assert answer.status_code == 200, answer.status
        return answer.text

    def csrf(self) -> str:
        """A token as any page with a form carries it."""
        text = self.client.get("/sign-in", follow_redirects=True).text
        found = _TOKEN.search(text)
        assert found is not None
        return found[1]

    def send(self, url: str, follow: bool = True, **fields: Any) -> TestResponse:
        return self.client.post(url, data={"csrf_token": self.csrf(), **fields}, follow_redirects=follow)

    def sign_in(self, username: str, password: str = PASSWORD, **fields: Any) -> TestResponse:
        return self.send("/sign-in", username=username, password=password, **fields)
