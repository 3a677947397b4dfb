"""What goes wrong while a package is built: a neighbour that lies or is away, a full disk, a kill; and its memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.contracts.export import PackageBuilt
from services.export import tables
from services.export.app import SERVICE
from services.export.build import build_package
from services.export.files import Store
from services.export.rules.pages import BYTES_TOGETHER
from services.kit.keys import Keys
from tests.support.bench import Bench
from tests.support.packages import URL, B, built, export_bench, fetch, hq, make_due, opening, problem, rows
from tests.support.sealed_round import SealedRound, SealedSchool, four_schools, pupil

MIB = 1024 * 1024
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@pytest.fixture
def there(keys: Path) -> SealedRound:
    return SealedRound(Keys(keys), four_schools())


@pytest.fixture
def b(bench: Callable[..., Bench], there: SealedRound) -> Bench:
    return export_bench(bench, there)


def test_a_fault_is_told_and_another_package_may_be_asked_for(b: Bench, there: SealedRound) -> None:
    there.spoil = {B: there.schools[0].frame()}
    failed = built(b, there)
    assert (failed["state"], failed["files"]) == ("failed", [])
    assert failed["error"]["code"] == "stream-malformed"
    assert failed["error"]["th"]
    there.spoil = {}
    assert built(b, there)["state"] == "built"
    states = [one["state"] for one in b.client.get(URL, headers=hq(b)).json["exports"]]
    assert sorted(states) == ["built", "failed"]
    assert len(list(Store(b.runtime.settings.data).root.iterdir())) == 1


def test_a_seal_that_does_not_fit_builds_nothing(b: Bench, there: SealedRound) -> None:
    b.deliver(there.event(there.seal(counted=1)))
    asked = b.client.post(URL, headers=hq(b))
    b.jobs()
    shown = b.client.get(asked.headers["Location"], headers=hq(b)).json
    assert (shown["state"], shown["error"]["code"]) == ("failed", "counts-differ")
    assert b.published(PackageBuilt) == []


def test_a_neighbour_that_is_away_is_waited_for(b: Bench, there: SealedRound) -> None:
    there.status = 503
    waiting = built(b, there)
    assert (waiting["state"], waiting["error"]["code"]) == ("queued", "snapshot-unavailable")
    assert build_package(b.runtime) is False
    there.status = 200
    make_due(b)
    b.jobs()
    shown = b.client.get(URL, headers=hq(b)).json["exports"][0]
    assert (shown["state"], shown["error"], shown["rows"]) == ("built", None, 3)


def test_a_disk_that_cannot_be_written_is_waited_for(b: Bench, there: SealedRound) -> None:
    root = Store(b.runtime.settings.data).root
    root.parent.mkdir(parents=True)
    root.write_text("a file where the folder should be")
    assert built(b, there)["error"]["code"] == "storage-unavailable"
    root.unlink()
    make_due(b)
    b.jobs()
    assert b.client.get(URL, headers=hq(b)).json["exports"][0]["state"] == "built"


def test_what_a_killed_process_left_is_built_again_once(b: Bench, there: SealedRound) -> None:
    b.deliver(there.event())
    b.client.post(URL, headers=hq(b))
    store = Store(b.runtime.settings.data)
    with b.database.transaction() as tx:
        lease = tables.take(tx)
    assert lease is not None
    assert build_package(b.runtime) is False
    half, whole = store.root / f".{lease.export}.1", store.folder(lease.export)
    for left in (half, whole):
        left.mkdir(parents=True)
        (left / "students.csv").write_text("half a file")
    make_due(b)
    assert build_package(b.runtime) is True
    assert {one.name for one in store.root.iterdir()} == {lease.export}
    package = b.client.get(URL, headers=hq(b)).json["exports"][0]
    assert len(rows(fetch(b, package, "students.csv"))) == 3
    assert len(b.published(PackageBuilt)) == 1
    with pytest.raises(tables.LeaseLost), b.database.transaction() as tx:
        tables.renew(tx, lease, schools_done=1, rows=1)


@pytest.mark.crash
@pytest.mark.parametrize("point", ["export-after-page", "export-before-commit"])
def test_killed_at_any_point_it_ends_in_the_same_package(b: Bench, there: SealedRound, point: str) -> None:
    b.deliver(there.event())
    b.client.post(URL, headers=hq(b))
    settings = b.runtime.settings
    paths = [str(settings.keys), str(settings.data), str(settings.clock_file)]
    command = [sys.executable, "-m", "tests.support.package_once", settings.database_url, *paths]
    killed = subprocess.run(command, env=os.environ | {"TABIAN_CRASH_AT": point}, check=False)
    assert killed.returncode == -9
    assert b.published(PackageBuilt) == []
    assert b.client.get(URL, headers=hq(b)).json["exports"][0]["state"] == "building"
    make_due(b)
    b.jobs()
    package = b.client.get(URL, headers=hq(b)).json["exports"][0]
    assert len(rows(fetch(b, package, "students.csv"))) == 3
    assert [one.name for one in Store(settings.data).root.iterdir()] == [package["export"]]
    assert len(b.published(PackageBuilt)) == 1


def test_a_seal_that_comes_before_the_opening_waits_for_it(
    bench: Callable[..., Bench], there: SealedRound
) -> None:
    early = bench(SERVICE, parts={"snapshot": there.client()})
    early.deliver(there.event())
    problem(early.client.post(URL, headers=hq(early)), 409, "round-not-sealed")
    early.deliver(opening())
    assert early.client.post(URL, headers=hq(early)).status_code == 202


def test_no_identity_leaves_by_events_or_the_api(b: Bench, there: SealedRound, caplog: Any) -> None:
    package = built(b, there)
    said = json.dumps([package, b.published(PackageBuilt)]) + caplog.text
    assert pupil(1)["national_id"] not in said
    assert "สมมติ" not in said


def test_memory_stays_flat_however_many_schools(bench: Callable[..., Bench], keys: Path) -> None:
    """500 schools of 400 pupils are 44 MB of students.csv and 85 MB of extracts; a few passes' worth is held."""
    roster = [pupil(number, cur_road="ถนน" * 20) for number in range(400)]
    many = [SealedSchool(code=f"10660{number:05d}", roster=roster) for number in range(500)]
    for one in many[1:]:
        one.document, one.extract = many[0].document, many[0].extract
    there = SealedRound(Keys(keys), many)
    b = export_bench(bench, there)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    package = built(b, there)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * MAXRSS_UNIT
    assert package["rows"] == 200_000
    size = next(one["bytes"] for one in package["files"] if one["name"] == "students.csv")
    assert size > 40 * MIB
    assert held < 8 * BYTES_TOGETHER, f"{held} bytes of Python objects"
    assert grown < 20 * BYTES_TOGETHER, f"{grown} bytes of the process"
