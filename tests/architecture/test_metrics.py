"""The metrics: all of them in the catalogue, none that could name a person or a school, each process with its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from gateway.embedded import SERVICES
from gateway.routes import Class
from services.kit.catalogue import CATALOGUE, LABELS, Family
from services.kit.http import CLASSES
from tests.architecture import tree

PERSONAL = re.compile(r"school|person|pupil|subject|name|national|sha|path|address|user|esa|code|case\b")
FAMILIES = list(CATALOGUE.values())


def _named(family: Family) -> str:
    return family.name


def test_the_catalogue_knows_all_services() -> None:
    assert len(SERVICES) == 6
    assert {"tabian_acts_total", "tabian_cases", "tabian_certificate_expires_seconds"} < CATALOGUE.keys()


@pytest.mark.parametrize("family", FAMILIES, ids=_named)
def test_a_metric_is_named_as_prometheus_wants_it(family: Family) -> None:
    assert re.fullmatch(r"tabian_[a-z]+(_[a-z]+)*", family.name)
    assert (family.kind == "counter") == family.name.endswith("_total")
    base = family.name.removesuffix("_total")
    assert family.unit.startswith("seconds") == bool(re.search(r"_seconds(_left)?$", base))
    assert (family.unit == "bytes") == base.endswith("_bytes")
    assert not family.meaning.endswith("."), "a phrase, no sentence"


def test_no_label_is_for_a_person_or_a_school() -> None:
    assert [label for label in LABELS if PERSONAL.search(label)] == []
    assert {label for family in FAMILIES for label in family.labels} == set(LABELS), "none that nobody uses"


def test_metrics_are_made_by_the_catalogue_only() -> None:
    making = re.compile(
        r"^from prometheus_client import .*\b(Counter|Gauge|Histogram|Summary|Info)\b", re.MULTILINE
    )
    calling = re.compile(r"(?<![.\w\[])(Counter|Gauge|Histogram|Summary|Info)\(\s*[\"f]")
    for path in tree.python_files("services", "gateway", "deploy"):
        text = tree.text_of(path)
        if making.search(text) and path != Path("services/kit/catalogue.py"):
            assert not calling.search(text), path


def test_the_edge_and_the_services_mean_the_same_classes() -> None:
    assert set(get_args(Class)) == CLASSES


def test_a_web_process_is_one_process_with_a_registry_of_its_own() -> None:
    assert re.search(r"^workers = 1$", tree.text_of(Path("deploy/gunicorn.conf.py")), re.MULTILINE)
    here = Path(__file__).relative_to(tree.ROOT)
    multi = "PROMETHEUS_MULTIPROC_DIR"
    assert [path for path in tree.python_files() if path != here and multi in tree.text_of(path)] == []
    assert multi not in tree.text_of(Path("docker-compose.yml"))


def test_only_its_owner_and_who_tells_its_disk_see_the_folder_of_postgresql() -> None:
    mounts = re.findall(
        r"^      - (postgres-data:\S+)$", tree.text_of(Path("docker-compose.yml")), re.MULTILINE
    )
    whole = "postgres-data:/var/lib/postgresql/data"  # the server's, and a restore's into an empty one
    assert mounts == [whole, "postgres-data:/disks/postgres:ro", whole]
