"""COPY and the obvious monolith do the work they are timed for: what they hold in the end is what Tabian finds in the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from deploy.rehearsal import truth
from deploy.rehearsal.bench import copying
from deploy.rehearsal.bench.copying import Copied, copied
from deploy.rehearsal.bench.copying_out import CopiedOut
from deploy.rehearsal.bench.database import own_database
from deploy.rehearsal.bench.monolith.judging import judged
from deploy.rehearsal.bench.monolith.reading import rows_of
from deploy.rehearsal.bench.monolith.running import Monolith, Roll, Year, monolith
from deploy.rehearsal.bench.monolith.schema import Place
from deploy.rehearsal.nation import Order, make_nation
from gateway.cli.bench.relay_yard import Relayed
from gateway.cli.bench.yardsticks import ratios
from services.contracts.roster import canonical
from services.intake.rules.checks import Finding, Roster, check
from services.intake.rules.reading import read
from services.kit.postgres import EmbeddedPostgres
from tests.support.rosters import csv_file, plan, pupil, roll

YEAR = Year(plan().count_day, plan().academic_year)
CODE, SMIS8 = "1066350177", "66020001"


@pytest.fixture(scope="module")
def server(postgres: EmbeddedPostgres) -> str:
    return postgres.url("postgres", "postgres").replace("+psycopg", "")


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some twenty schools: files with faults of most kinds, CSV and XLSX."""
    folder = tmp_path_factory.mktemp("nation") / "made"
    make_nation(Order(seed=7, out=folder, esa="6602", limit=20, jobs=1))
    return folder


def tabian(data: bytes, code: str = CODE, smis8: str = SMIS8) -> tuple[Sequence[Finding], int]:
    """What Tabian finds in a file, and how many pupils are in it."""
    (frame,) = canonical.canonicalise_many([read(data).frame])
    (found,) = check([Roster(frame, code, smis8, YEAR.count_day, YEAR.academic)])
    return found, frame.height


def same_findings(data: bytes, code: str = CODE, smis8: str = SMIS8) -> Counter[str]:
    """The rules that a file breaks, by row and field the same for the monolith as for Tabian."""
    found, pupils = tabian(data, code, smis8)
    other = judged(rows_of(data), Place((smis8, code), YEAR.count_day, YEAR.academic))
    ours = sorted((f.source_row or 0, f.rule, f.field or "") for f in found)
    assert (sorted(other.findings), len(other.pupils)) == (ours, pupils)
    return Counter(f.rule for f in found)


def test_every_roll_is_copied_whole(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "RUNS", 1)
    named = [roll(1, 3), roll(4, 2, first_name_th='ก"ข,ค'), []]
    documents = [canonical.encode(canonical.canonicalise(read(csv_file(pupils)).frame)) for pupils in named]
    found = copied(server, documents)
    assert found.pupils == 5
    assert found.connections in copying.CONNECTIONS
    assert min(found.together_per_s, found.per_roster_per_s) > 0


def test_a_commit_of_a_yardstick_waits_for_the_disk_and_its_database_goes(server: str) -> None:
    with own_database(server, "yardstick_test") as url, psycopg.connect(url) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    with psycopg.connect(server) as connection:
        left = connection.execute("SELECT FROM pg_database WHERE datname LIKE 'yardstick%'").fetchall()
    assert left == []


def test_the_monolith_finds_in_each_row_what_tabian_finds(nation: Path) -> None:
    schools = truth.load(nation / "truth.json").schools.values()
    rules: Counter[str] = Counter()
    for school in schools:
        for sent in school.uploads:
            if sent.expect == "accepted":
                rules += same_findings((nation / sent.file).read_bytes(), school.code, school.smis8)
    assert len(rules) >= 5


FAULTS: list[dict[str, str]] = [
    {"national_id": ""},
    {"national_id": "-"},
    {"national_id": "1.1E+12"},
    {"national_id": "1660000000001"},
    {"national_id": "๑-๖๖๐๐-๐๐๐๐๐-๐๗-๑"},
    {"school_code": "66020009"},
    {"school_code": ""},
    {"grade": "ป.9"},
    {"grade": ""},
    {"grade": "ม.6"},
    {"grade": "ปวช.1"},
    {"room": "๐๑"},
    {"room": "0"},
    {"room": "ก"},
    {"sex": ""},
    {"sex": "x"},
    {"sex": "ช", "title": "นางสาว"},
    {"title": "นาย"},
    {"title": "คุณหนู"},
    {"first_name_th": " \u200b"},
    {"birth_date": ""},
    {"birth_date": "31/02/2557"},
    {"birth_date": "1/1/2500"},
    {"birth_date": "1/1/2566"},
    {"birth_date": "1 มกราคม 2562"},
    {"birth_date": "5/11/2545"},
    {"weight_kg": "130", "height_cm": "25"},
    {"weight_kg": "130", "birth_date": ""},
    {"weight_kg": "20 กก.", "elder_brothers": "-1"},
    {"weight_kg": "020.50", "gpax": "1,200.50"},
    {"religion": "-", "lacks_lunch": "2"},
    {"cannot_discharge_yet": "1"},
]


@pytest.mark.parametrize("values", FAULTS, ids=str)
def test_a_fault_is_the_same_fault_to_both(values: dict[str, str]) -> None:
    same_findings(csv_file([pupil(1), pupil(2, **values)]))


def test_numbers_that_come_twice_and_a_roll_of_nobody_are_found_by_both() -> None:
    again = [pupil(1), pupil(2), pupil(1, room="2")]
    assert same_findings(csv_file(again)) == {"national-id-repeated": 2, "student-code-repeated": 2}
    assert same_findings(csv_file([])) == {"no-pupils": 1}


def test_the_monolith_stores_what_it_is_sent_and_sees_who_is_on_two_rolls(server: str) -> None:
    rolls = [
        Roll(CODE, SMIS8, csv_file(roll(1, 40, sex=""))),
        Roll("1066350179", "66020003", csv_file(roll(38, 5, smis8="66020003"))),
        Roll("1063400001", "63010001", csv_file([])),
    ]
    found = monolith(server, rolls, YEAR, 1)
    assert found.pupils == 45
    assert found.findings == {"sex-missing": 40, "no-pupils": 1}
    assert found.duplicates == 3
    assert found.students_per_s > 0


def test_a_file_the_monolith_does_not_take_gives_no_figure(server: str) -> None:
    with pytest.raises(RuntimeError, match="did not take 1"):
        monolith(server, [Roll(CODE, SMIS8, b"no roll\r\n")], YEAR, 1)


def test_ratios_are_tabians_figures_by_the_yardsticks() -> None:
    copies, other = Copied(10, 1000.0, 2000.0, 2), Monolith(10, 100.0, {}, 0, 2)
    out, ours = CopiedOut(10, 1000, "", 0.5), {"intake_students_per_s": 500, "package_s": 0.75}
    assert ratios(ours, copies, other, Relayed(10, 900.0, 300.0), out) == {
        "intake_vs_monolith": 5.0,
        "intake_vs_copy": 0.5,
        "intake_vs_copy_per_roster": 0.25,
        "relay_vs_confirm_each": 3.0,
        "export_vs_copy_to": 1.5,
    }
