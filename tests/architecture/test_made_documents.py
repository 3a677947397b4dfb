"""The documents that are made from the code say what the code says."""

from __future__ import annotations

from deploy.documents import stale


def test_no_document_is_stale() -> None:
    assert stale() == [], "run `make docs`"
