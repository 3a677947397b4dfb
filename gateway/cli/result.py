"""Writing a command's result as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_json(file: Path | None, result: Any) -> None:
    """Write the result where `--json` says, if it says so."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
