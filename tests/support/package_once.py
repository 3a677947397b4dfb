"""One run of export's job in a process of its own, for tests that kill it: database URL, keys, data and clock file."""

from __future__ import annotations

import sys
from pathlib import Path

from services.export.app import SERVICE
from services.export.build import build_package
from services.kit.keys import Keys
from services.kit.runtime import build_runtime
from services.kit.settings import Settings
from tests.support.sealed_round import SealedRound, four_schools


def main(url: str, keys: str, data: str, clock: str) -> None:
    settings = Settings(database_url=url, keys=Path(keys), data=Path(data), clock_file=Path(clock))
    neighbour = SealedRound(Keys(Path(keys)), four_schools()).client()
    build_package(build_runtime(SERVICE, settings, parts={"snapshot": neighbour}))


if __name__ == "__main__":
    main(*sys.argv[1:])
