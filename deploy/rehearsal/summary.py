"""What a rehearsed round came to: counted against the truth beside the synthetic nation, never against itself."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Summary:
    """Written to summary.json. `duplicates_open_seconds`: from the last upload checked until every planted duplicate had
    its case; `lost`: accepted versions or acts missing at the end; `faults`: what else was wrong."""

    schools: int = 0
    students: int = 0
    uploads: int = 0
    rejected_files: int = 0
    errors_planted: int = 0
    errors_found: int = 0
    errors_unplanted: int = 0
    notes_planted: int = 0
    notes_found: int = 0
    duplicates_planted: int = 0
    duplicates_found: int = 0
    duplicates_open_seconds: float = 0.0
    confirmed: int = 0
    certified: int = 0
    refused_late: int = 0
    acknowledged: int = 0
    counted: int = 0
    not_counted: dict[str, int] = field(default_factory=dict)
    budget_baht: int = 0
    merkle_root: str = ""
    receipts_verified: int = 0
    proofs_verified: int = 0
    export_rows: int = 0
    buildings_confirmed: int = 0
    lost: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def add(self, **numbers: int) -> None:
        """Add to counters; from any thread."""
        with self._lock:
            for name, number in numbers.items():
                setattr(self, name, getattr(self, name) + number)

    def fault(self, text: str) -> None:
        """Note something that should not be."""
        with self._lock:
            self.faults.append(text)

    def expect(self, what: str, got: object, wanted: object) -> None:
        """Note a fault unless both are equal."""
        if got != wanted:
            self.fault(f"{what}: {got!r}, expected {wanted!r}")

    @property
    def sound(self) -> bool:
        """Whether the round came out as the truth says."""
        return not self.faults and not self.lost

    def plain(self) -> dict[str, Any]:
        return asdict(self)
