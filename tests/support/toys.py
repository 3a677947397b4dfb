"""Two toy services around one real event: `maker` publishes PackageBuilt, `taker` (as snapshot) consumes it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from services.contracts.export import PackageBuilt
from services.kit.database import Transaction
from services.kit.service import Service
from tests.support.bench import Bench

METADATA = sa.MetaData()
seen = sa.Table("seen", METADATA, sa.Column("package", sa.Text), sa.Column("times", sa.Integer))
REFUSED: tuple[str, ...] = ("poison",)
"""How the packages begin that the taker's handler cannot take."""
MIGRATIONS = Path(__file__).parent / "toy"


class Refused(Exception):
    """The handler cannot take this package, however often it is tried."""


def see(event: PackageBuilt, tx: Transaction) -> None:
    tx.execute(sa.insert(seen).values(package=event.package, times=1))
    if event.package.startswith(REFUSED):
        raise Refused


def package(name: str) -> PackageBuilt:
    return PackageBuilt(round="2564-2", package=name, root="r", manifest_sha256="m", rows=1, at="2021-11-12")


MAKER = Service(
    name="export", metadata=METADATA, migrations=MIGRATIONS, blueprints=tuple, publishes=(PackageBuilt,)
)
TAKER = Service(
    name="snapshot", metadata=METADATA, migrations=MIGRATIONS, blueprints=tuple, consumes={PackageBuilt: see}
)


def publish(maker: Bench, *names: str) -> None:
    """Have the toy maker publish these packages, in one transaction."""
    with maker.database.transaction() as tx:
        for name in names:
            tx.publish(package(name), subject=name)
