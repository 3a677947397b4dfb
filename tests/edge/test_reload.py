"""A reload of the edge: people keep their connection until an answer has told them to take another."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from tests.support.edge import running_edge

SEEN_SECONDS = 0.5


def test_a_request_on_a_kept_connection_is_answered_while_the_edge_leaves(tmp_path: Path) -> None:
    with running_edge(tmp_path) as edge:
        doors = (edge.public, edge.inner)
        assert [door.get("/sign-in").status_code for door in doors] == [200, 200]
        edge.leave()
        time.sleep(SEEN_SECONDS)
        for door in doors:
            last = door.get("/sign-in")
            assert (last.status_code, last.headers["connection"]) == (200, "close")
        for door in doors:
            with pytest.raises(httpx.ConnectError):
                door.get("/sign-in")
