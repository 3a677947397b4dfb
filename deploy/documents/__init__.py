"""The documents that are made from the code: `make docs` writes them, a test holds them against the code.

One module for each, with a function `render() -> str`; the dashboards are in deploy/grafana. They are committed, so that a change
of an interface can be read as one. Not here: documents that people write, and what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from deploy.documents import asyncapi, configuration, events, metrics, openapi
from deploy.grafana import stored as dashboards

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "docs/events.md": events.render,
        "docs/asyncapi.yaml": asyncapi.render,
        "docs/metrics.md": metrics.render,
        "docs/configuration.md": configuration.render,
        **{f"docs/openapi/{name}.yaml": partial(openapi.render, name) for name in openapi.NAMES},
        "gateway/portal/openapi.json": openapi.render_whole,
        **dashboards.DOCUMENTS,
    }
)
"""Path → what makes its text."""


def write(root: Path = ROOT) -> list[str]:
    """Write every document; returns the paths of those that changed."""
    changed = []
    for path, render in DOCUMENTS.items():
        text = render()
        if _stored(root / path) != text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def stale(root: Path = ROOT) -> list[str]:
    """The paths of documents that are not what the code would make of them now."""
    return [path for path, render in DOCUMENTS.items() if _stored(root / path) != render()]


def _stored(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None
