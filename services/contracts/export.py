"""Events that export produces."""

from __future__ import annotations

from services.contracts.event import event


@event("export.package.built.v1", consumers=("snapshot",))
class PackageBuilt:
    """The EDC package of a sealed round is complete; snapshot shows headquarters that it exists.

    `manifest_sha256` is the SHA-256 of its datapackage.json; `rows` the number of student rows."""

    round: str
    package: str
    root: str
    manifest_sha256: str
    rows: int
    at: str
