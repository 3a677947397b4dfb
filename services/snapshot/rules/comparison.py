"""The manifest of a closing round against what snapshot holds and heard: which schools keep it from being counted.

Not here: what closing does about them (`closing.py`), and in which words they are named (`awaiting.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.contracts.dedup import Outcome
from services.contracts.intake import ManifestEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Manifest against documents, by school: no document here; its pupils are not those of the manifest; an outcome
    names a version or line that is not the manifest's; the manifest knows less than intake had told before."""

    missing: tuple[str, ...] = ()
    disagreeing: tuple[str, ...] = ()
    astray: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()

    @property
    def contradictory(self) -> tuple[str, ...]:
        """The schools for which no document that still comes can help."""
        return tuple(sorted({*self.disagreeing, *self.astray, *self.behind}))

    @property
    def equal(self) -> bool:
        return not (self.missing or self.contradictory)


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest state of a school's submission that intake told of, whatever the manifest says."""

    revision: int
    state: str
    sha256: str | None


def compare_documents(
    manifest: Iterable[ManifestEntry],
    held: Mapping[str, int],
    outcomes: Iterable[Outcome] = (),
    heard: Mapping[str, Heard] | None = None,
) -> Comparison:
    """What keeps the manifest from being counted; `held`: sha256 → pupils of every document that snapshot has;
    `heard`: by school. An intake restored from an old copy would send a manifest that lacks acts it had told of."""
    entries = {entry.school: entry for entry in manifest}
    missing = [e.school for e in entries.values() if e.sha256 is not None and e.sha256 not in held]
    disagreeing = [e.school for e in entries.values() if e.pupils != _pupils(e, held)]
    astray = {outcome.school for outcome in outcomes if not _fits(outcome, entries.get(outcome.school))}
    behind = [school for school, told in (heard or {}).items() if _lost(told, entries.get(school))]
    return Comparison(
        missing=tuple(sorted(missing)),
        disagreeing=tuple(sorted(disagreeing)),
        astray=tuple(sorted(astray)),
        behind=tuple(sorted(behind)),
    )


def _pupils(entry: ManifestEntry, held: Mapping[str, int]) -> int:
    """Of the document held; while it is missing there is nothing to disagree with."""
    return 0 if entry.sha256 is None else held.get(entry.sha256, entry.pupils)


def _fits(outcome: Outcome, entry: ManifestEntry | None) -> bool:
    return entry is not None and outcome.sha256 == entry.sha256 and 1 <= outcome.line <= entry.pupils


def _lost(told: Heard, entry: ManifestEntry | None) -> bool:
    """Whether the manifest lacks an act or version that was told. Draft and ready change by themselves, also after
    the fence, when a duplicate case does."""
    if entry is None:
        return True
    unsigned = ("draft", "ready")
    same = told.state == entry.state or (told.state in unsigned and entry.state in unsigned)
    return told.revision > entry.revision and not (same and told.sha256 == entry.sha256)
