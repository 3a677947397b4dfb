"""The dashboards as files: their names and the JSON in each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import broker, database, deadline_day, one_service

FOLDER: Final = Path(__file__).parent / "dashboards"


def rendered() -> dict[str, str]:
    """File name → its text."""
    boards = [part.board().build() for part in (deadline_day, one_service, broker, database)]
    return {
        f"{board.uid}.json": json.dumps(board, cls=JSONEncoder, ensure_ascii=False, indent=1, sort_keys=True)
        + "\n"
        for board in boards
    }
