"""A small nation for whole rounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.rehearsal.nation import Order, make_nation


@pytest.fixture(scope="session")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nation")
    make_nation(Order(seed=7, out=folder, esa="6602", limit=3))
    return folder
