"""COPY writes the package's file of pupils, byte for byte, from the sealed rolls alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from deploy.rehearsal.bench.copying_out import CopiedOut, SealedRoll, copied_out
from services.kit.keys import Keys
from services.kit.postgres import EmbeddedPostgres
from tests.support.bench import Bench
from tests.support.packages import built, export_bench
from tests.support.sealed_round import SealedRound, SealedSchool, four_schools, pupil

AWKWARD = [
    pupil(1, first_name_th='ก"ข, ค', cur_road=" ถนน'เอก'", gpax="3.50", disability="ออทิสติก"),
    pupil(2, room="12", last_name_th="สอง\nบรรทัด", nationality="ดาวอังคาร", title="พระ", cur_moo=""),
    pupil(3, sex="", disadvantage="", grade="", graduated="1", cur_road="\\N", room="\\."),
]


@pytest.fixture(scope="module")
def server(postgres: EmbeddedPostgres) -> str:
    return postgres.url("postgres", "postgres").replace("+psycopg", "")


@pytest.fixture
def sealed(keys: Path) -> SealedRound:
    more = SealedSchool(code="1066020009", roster=AWKWARD, not_counted={2: "under-age"})
    return SealedRound(Keys(keys), [*four_schools(), more])


def counted(sealed: SealedRound) -> list[SealedRoll]:
    of = [one for one in sealed.schools if one.counted]
    return [SealedRoll(one.code, one.document, one.not_counted) for one in of]


def facts(copied: CopiedOut) -> dict[str, object]:
    return {
        "name": "students.csv",
        "rows": copied.rows,
        "bytes": copied.bytes,
        "sha256": copied.sha256,
    }


def test_copy_writes_the_packages_own_bytes(
    server: str, bench: Callable[..., Bench], sealed: SealedRound
) -> None:
    package = built(export_bench(bench, sealed), sealed)
    copied = copied_out(server, counted(sealed), 2564, 2)
    assert copied.rows == 6
    assert copied.seconds > 0
    assert facts(copied) in package["files"]


def test_many_pupils_are_copied_in_the_packages_order(
    server: str, bench: Callable[..., Bench], keys: Path
) -> None:
    """A table's rows lie where there is room for them, unless it was filled with care."""
    roster = [pupil(number, cur_road="ถนน" * (number % 40)) for number in range(6000)]
    large = SealedRound(Keys(keys), [SealedSchool(code="1066020001", roster=roster)])
    package = built(export_bench(bench, large), large)
    assert facts(copied_out(server, counted(large), 2564, 2)) in package["files"]


def test_a_pupil_too_few_or_another_reason_is_another_file(
    server: str, bench: Callable[..., Bench], sealed: SealedRound
) -> None:
    package = built(export_bench(bench, sealed), sealed)
    first, *rest = counted(sealed)
    for other in (rest, [SealedRoll(first.school, first.document, {}), *rest]):
        assert facts(copied_out(server, other, 2564, 2)) not in package["files"]


def test_nothing_is_left_on_the_server(server: str) -> None:
    assert copied_out(server, [], 2564, 1).rows == 0
    with psycopg.connect(server) as connection:
        left = connection.execute(
            "SELECT name FROM pg_ls_dir(current_setting('data_directory')) AS name WHERE name LIKE '%yardstick%'"
        ).fetchall()
        databases = connection.execute("SELECT FROM pg_database WHERE datname LIKE 'yardstick%'").fetchall()
    assert (left, databases) == ([], [])
