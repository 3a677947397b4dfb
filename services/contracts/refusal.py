"""A refusal: what a rule says when an act is not allowed, in words that tell a person what to do.

Rules raise it without knowing HTTP; the kit answers it as problem+json. It never carries personal data.
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """`code` is stable and names the problem type; `status` is the HTTP status; `more` adds members to the answer."""

    def __init__(self, status: int, code: str, th: str, en: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.th, self.en, self.more = status, code, th, en, more
