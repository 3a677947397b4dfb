"""The limit for the package: how fast PostgreSQL's COPY writes the same pupils, in the same columns, to a file.

They are made from the sealed rolls line by line, with nothing of the export service, so that equal files mean that both are
right. One table of text columns without an index, in the package's order; making it is not timed. The file is on
the server's own disk and safe on it before the clock stops, as a package's is.
"""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from deploy.rehearsal.bench.database import own_database
from services.contracts.roster.canonical import MAX_UNPACKED
from services.contracts.roster.codes import table

RUNS = 3
"""The quickest counts."""
_READ_BYTES = 16 * 1024 * 1024
_WITHOUT_VALUE = {
    *("PassportNumber_Onec", "MiddleName_Onec", "Soi_Onec", "Trok_Onec"),
    *("SubDistrictID_Onec", "SchoolAdmissionYear_Onec"),
}
_AS_IT_IS = {
    "PersonID_Onec": "national_id",
    "FirstName_Onec": "first_name_th",
    "LastName_Onec": "last_name_th",
    "VillageNumber_Onec": "cur_moo",
    "Street_Onec": "cur_road",
    "RoomID_Onec": "room",
    "GPAX_Onec": "gpax",
}
_CODED = {
    "PrefixID_Onec": ("title", "code"),
    "GenderID_Onec": ("sex", "code"),
    "NationalityID_Onec": ("nationality", "code"),
    "DisabilityID_Onec": ("disability", "onec"),
    "DisadvantageEducationID_Onec": ("disadvantage", "onec"),
    "GradeLevelID_Onec": ("grade", "code"),
}
COLUMNS = (
    *("AcademicYear_Onec", "Semester_Onec", "DepartmentID_Onec", "SchoolID_Onec", "PersonID_Onec"),
    *("PassportNumber_Onec", "PrefixID_Onec", "FirstName_Onec", "MiddleName_Onec", "LastName_Onec"),
    *("GenderID_Onec", "NationalityID_Onec", "DisabilityID_Onec", "DisadvantageEducationID_Onec"),
    *("VillageNumber_Onec", "Street_Onec", "Soi_Onec", "Trok_Onec", "SubDistrictID_Onec"),
    *("SchoolAdmissionYear_Onec", "GradeLevelID_Onec", "RoomID_Onec", "GPAX_Onec", "StudentStatusID_Onec"),
    *("RosterLine", "Counted", "NotCountedReason"),
)
"""Those of a package's students.csv, in its order."""


@dataclass(frozen=True, slots=True)
class SealedRoll:
    """The canonical document of a counted school, and its lines (from 1) that do not count, with the reason."""

    school: str
    document: bytes
    not_counted: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class CopiedOut:
    """The file COPY wrote, and in how many seconds."""

    rows: int
    bytes: int
    sha256: str
    seconds: float


def copied_out(server: str, rolls: Iterable[SealedRoll], academic_year: int, semester: int) -> CopiedOut:
    """Measure with the rolls of a round, in order of school. `server`: URL of a superuser. Raises psycopg.Error where the server
    cannot write."""
    term = {"AcademicYear_Onec": str(academic_year), "Semester_Onec": str(semester)}
    with (
        own_database(server, "yardstick_copying_out") as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        rows = _fill(connection, rolls, term)
        with _file(connection) as path:
            seconds = min(_timed(connection, path) for _ in range(RUNS))
            size, sha256 = _weighed(connection, path)
    return CopiedOut(rows, size, sha256, seconds)


def rows_of(roll: SealedRoll, term: Mapping[str, str]) -> Iterator[list[str]]:
    """The school's pupils in COLUMNS, line by line."""
    csv.field_size_limit(MAX_UNPACKED)
    codes = {
        column: (field, {value.label: str(getattr(value, kind)) for value in table(field).values})
        for column, (field, kind) in _CODED.items()
    }
    status = {value.label: value.onec for value in table("edc_status").values}
    alike = term | {"DepartmentID_Onec": table("edc_department").values[0].code, "SchoolID_Onec": roll.school}
    lines = csv.DictReader(io.StringIO(roll.document.decode(), newline=""))
    for number, line in enumerate(lines, start=1):
        reason = roll.not_counted.get(number, "")
        values = alike | dict.fromkeys(_WITHOUT_VALUE, "")
        values |= {column: line[field] for column, field in _AS_IT_IS.items()}
        values |= {column: known.get(line[field], "") for column, (field, known) in codes.items()}
        values["StudentStatusID_Onec"] = status["สำเร็จการศึกษา" if line["graduated"] == "1" else "กำลังศึกษา"]
        values |= {
            "RosterLine": str(number),
            "Counted": "0" if reason else "1",
            "NotCountedReason": reason,
        }
        yield [values[column] for column in COLUMNS]


def _fill(connection: psycopg.Connection, rolls: Iterable[SealedRoll], term: Mapping[str, str]) -> int:
    """Make the table; how many rows it has. What is empty is null: COPY writes an empty text in quotes."""
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in COLUMNS)
    statement = b"COPY pupil FROM STDIN (FORMAT csv, FREEZE)"
    rows = 0
    # Into a table that the same transaction made, COPY appends only; else it fills pages left behind, in another order.
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE pupil ({})").format(columns))
        with cursor.copy(statement) as copy:
            for roll in rolls:
                written = io.StringIO(newline="")
                for row in rows_of(roll, term):
                    csv.writer(written, lineterminator="\n").writerow(row)
                    rows += 1
                copy.write(written.getvalue())
    connection.execute("VACUUM (FREEZE, ANALYZE) pupil")
    # A scan that begins where another one is would give another order.
    connection.execute("SET synchronize_seqscans = off")
    return rows


@contextmanager
def _file(connection: psycopg.Connection) -> Iterator[str]:
    """Where the server may write, beside its data; removed afterwards."""
    told = connection.execute("SHOW data_directory").fetchone()
    assert told is not None
    path = f"{told[0]}/yardstick_copying_out.csv"
    try:
        yield path
    finally:
        _run(connection, f"rm -f '{path}'")


def _timed(connection: psycopg.Connection, path: str) -> float:
    """Seconds until the file is on the disk for good."""
    copy = sql.SQL("COPY pupil TO {} (FORMAT csv, HEADER)").format(sql.Literal(path))
    _run(connection, f"rm -f '{path}'")
    began = time.perf_counter()
    connection.execute(copy)
    _run(connection, f"sync '{path}'")
    return time.perf_counter() - began


def _run(connection: psycopg.Connection, command: str) -> None:
    """A command on the server's machine, which is given nothing."""
    statement = sql.SQL("COPY (SELECT WHERE false) TO PROGRAM {}").format(sql.Literal(command))
    connection.execute(statement)


def _weighed(connection: psycopg.Connection, path: str) -> tuple[int, str]:
    """Bytes and SHA-256 of a file on the server."""
    digest, size = hashlib.sha256(), 0
    while True:
        part = connection.execute(
            "SELECT pg_read_binary_file(%s, %s, %s)", (path, size, _READ_BYTES)
        ).fetchone()
        if part is None or not part[0]:
            return size, digest.hexdigest()
        digest.update(part[0])
        size += len(part[0])
