"""Export's settings beside those of every service: where the extracts of sealed rosters come from."""

from __future__ import annotations

from dataclasses import dataclass

from services.kit.settings import Settings, setting


@dataclass(frozen=True, kw_only=True)
class ExportSettings(Settings):
    """Snapshot is asked from inside; no edge leads to these addresses of it."""

    snapshot_url: str = setting("TABIAN_SNAPSHOT_URL", "where snapshot's inner interface answers (http://…)")
