"""The package against COPY of the same pupils: the sealed rolls, as snapshot has them, copied out by PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import zstandard

from deploy.rehearsal.bench.copying_out import CopiedOut, SealedRoll, copied_out
from deploy.rehearsal.scenario import ROUND

_SEALED = b"""
    SELECT school, document.body, lines
      FROM sealed_school JOIN document USING (sha256)
     WHERE round = %s AND state IN ('certified', 'acknowledged')
     ORDER BY school
"""
_LAST_TERM = 2
"""Of a year: the round at its end belongs to it."""


def sealed_pupils_copied(server: str, snapshot: str) -> CopiedOut:
    """Measure with the round that the database `snapshot` has sealed."""
    with psycopg.connect(snapshot) as connection:
        year, term = _term(connection)
        return copied_out(server, _rolls(connection), year, term)


def _term(connection: psycopg.Connection) -> tuple[int, int]:
    """The round's academic year and term."""
    plan = connection.execute("SELECT plan FROM round WHERE name = %s", (ROUND,)).fetchone()
    assert plan is not None
    return int(plan[0]["academic_year"]), int(plan[0]["term"] or _LAST_TERM)


def _rolls(connection: psycopg.Connection) -> Iterator[SealedRoll]:
    """The counted schools' rolls in order, a few in memory at a time."""
    with connection.cursor("rolls") as cursor:
        cursor.itersize = 100
        for school, packed, lines in cursor.execute(_SEALED, (ROUND,)):
            document = zstandard.ZstdDecompressor().decompress(packed)
            yield SealedRoll(school, document, dict(lines))
