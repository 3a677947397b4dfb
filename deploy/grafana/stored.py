"""The dashboards as files, among the documents that `make docs` writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import broker, database, deadline_day, one_service

FOLDER: Final = "deploy/grafana/dashboards"
_BOARDS = {
    "deadline-day": deadline_day.board,
    "one-service": one_service.board,
    "broker": broker.board,
    "database": database.board,
}


def render(name: str, board: Callable[[], Dashboard]) -> str:
    """The dashboard under this uid, as Grafana reads it."""
    made = board().uid(name).build()
    return json.dumps(made, cls=JSONEncoder, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


DOCUMENTS: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {f"{FOLDER}/{name}.json": partial(render, name, board) for name, board in _BOARDS.items()}
)
"""Path → what makes its text."""
