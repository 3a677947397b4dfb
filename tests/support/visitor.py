"""A person at the portal in tests: signs in, follows forms with their CSRF token, and reads pages."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.portal import accounts
from gateway.portal.passwords import hash_password
from services.contracts.access import Grant
from services.kit.database import Database

PASSWORD = "long-enough-2564"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


_hashed = cache(hash_password)


def enrol(database: Database, username: str, *grants: tuple[str, str]) -> None:
    """An account with PASSWORD, hashed once for the whole run."""
    with database.transaction() as tx:
        assert accounts.save(
            tx,
            username=username,
            name=f"คุณ{username}",
            password_hash=_hashed(PASSWORD),
            grants=[Grant(*grant) for grant in grants],
            replace=True,
        )


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
        """A token as any page with a form carries it; once signed in every page has the form to sign out."""
        answer = self.client.get("/sign-in")
        text = answer.text if answer.status_code == 200 else self.client.get("/nowhere").text
        found = _TOKEN.search(text)
        assert found is not None
        return found[1]

    def send(self, url: str, follow: bool = True, **fields: Any) -> TestResponse:
        return self.client.post(url, data={"csrf_token": self.csrf(), **fields}, follow_redirects=follow)

    def sign_in(self, username: str, password: str = PASSWORD, **fields: Any) -> TestResponse:
        return self.send("/sign-in", username=username, password=password, **fields)
