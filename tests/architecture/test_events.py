"""Events and services agree: who publishes, who consumes, and who can read the document that rides along."""

from __future__ import annotations

import pytest

from gateway.embedded import SERVICES
from services.contracts.event import REGISTRY, Declaration, declaration_of
from tests.architecture import tree


def test_the_embedded_system_runs_every_service() -> None:
    assert {service.name for service in SERVICES} == set(tree.ALL)


@pytest.mark.parametrize("event_type", sorted(REGISTRY))
def test_an_event_reaches_exactly_the_consumers_it_declares(event_type: str) -> None:
    declared: Declaration = REGISTRY[event_type]
    consuming = {name for name in tree.ALL if declared.cls in tree.service(name).consumes}
    assert consuming == set(declared.consumers), "the outbox waits for every consumer the declaration names"


@pytest.mark.parametrize("event_type", sorted(REGISTRY))
def test_an_event_is_published_by_the_service_it_is_named_for(event_type: str) -> None:
    declared = REGISTRY[event_type]
    publishing = {name for name in tree.ALL if declared.cls in tree.service(name).publishes}
    assert publishing == {declared.producer}


@pytest.mark.parametrize("event_type", sorted(REGISTRY))
def test_an_event_says_what_happened(event_type: str) -> None:
    declared = REGISTRY[event_type]
    said = declared.cls.__doc__ or ""
    assert len(said) > 20
    assert not said.startswith(f"{declared.cls.__name__}("), (
        "a dataclass's generated text is not a description"
    )
    assert declared.consumers, "an event that nobody consumes is not declared yet"


@pytest.mark.parametrize("name", tree.FIVE)
def test_a_service_can_read_every_document_it_publishes(name: str) -> None:
    service = tree.service(name)
    with_document = {cls for cls in service.publishes if declaration_of(cls).document}
    assert set(service.documents) == with_document


@pytest.mark.parametrize("name", tree.FIVE)
def test_job_names_are_their_own(name: str) -> None:
    names = [job.name for job in tree.service(name).jobs]
    assert len(set(names)) == len(names)
