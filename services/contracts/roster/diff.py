"""What changed between two versions of a roster: who came, who left, whose fields differ. Pupils are named by their lines,
so that a difference may be logged and stored without personal data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from services.contracts.roster.fields import COLUMNS

_NATIONAL_ID = COLUMNS.index("national_id")
_STUDENT_CODE = COLUMNS.index("student_code")

_Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One pupil who is in both versions, on these lines (1-based), and the keys of the fields that differ."""

    old_line: int
    new_line: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """`added` are lines of the new version, `removed` lines of the old one; `changed` is in order of new lines."""

    added: tuple[int, ...]
    removed: tuple[int, ...]
    changed: tuple[Change, ...]

    def __bool__(self) -> bool:
        """True when the versions differ."""
        return bool(self.added or self.removed or self.changed)


def diff(old: pl.DataFrame, new: pl.DataFrame) -> Diff:
    """The difference of two canonical rosters of one school.

    Pupils are matched by national ID, the rest by student code, so that a corrected number is a change and not another
    child. Where a number stands on several lines, equal lines are matched first, then the others in order.
    """
    before, after = old.select(COLUMNS).rows(), new.select(COLUMNS).rows()
    pairs = _matched(before, after)
    changes = (
        Change(i + 1, j + 1, _differing(before[i], after[j])) for i, j in sorted(pairs, key=lambda p: p[1])
    )
    left, right = {i for i, _ in pairs}, {j for _, j in pairs}
    return Diff(
        added=tuple(j + 1 for j in range(len(after)) if j not in right),
        removed=tuple(i + 1 for i in range(len(before)) if i not in left),
        changed=tuple(change for change in changes if change.fields),
    )


def _matched(before: Sequence[_Row], after: Sequence[_Row]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    old_left, new_left = set(range(len(before))), set(range(len(after)))
    for columns in (range(len(COLUMNS)), (_NATIONAL_ID,), (_STUDENT_CODE,)):
        found = list(_paired(before, after, columns, old_left, new_left))
        pairs += found
        old_left -= {i for i, _ in found}
        new_left -= {j for _, j in found}
    return pairs


def _paired(
    before: Sequence[_Row],
    after: Sequence[_Row],
    columns: Sequence[int],
    old: Iterable[int],
    new: Iterable[int],
) -> Iterator[tuple[int, int]]:
    """Rows of both versions that agree in these columns, in order; a blank number agrees with nothing."""
    waiting: defaultdict[_Row, list[int]] = defaultdict(list)
    for i in sorted(old, reverse=True):
        waiting[tuple(before[i][column] for column in columns)].append(i)
    for j in sorted(new):
        key = tuple(after[j][column] for column in columns)
        if key != ("",) and waiting.get(key):
            yield waiting[key].pop(), j


def _differing(before: _Row, after: _Row) -> tuple[str, ...]:
    return tuple(key for key, old, new in zip(COLUMNS, before, after, strict=True) if old != new)
