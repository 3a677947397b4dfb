"""No secret is in the repository. What looks like one and is none stands in `.secrets.baseline`, looked at by a person."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import configure_settings_from_baseline, transient_settings

from tests.architecture import tree

BASELINE = Path(".secrets.baseline")


def _settings() -> dict[str, object]:
    known: dict[str, object] = json.loads(tree.text_of(BASELINE))
    return known


def _found(root: Path, paths: list[Path]) -> SecretsCollection:
    """What looks like a secret in these files, by the baseline's own rules."""
    with transient_settings({}):
        configure_settings_from_baseline(_settings())
        found = SecretsCollection(root=str(root))
        for path in paths:
            found.scan_file(str(path))
    return found


def test_nothing_that_looks_like_a_secret_is_new() -> None:
    known = {
        (path, one["hashed_secret"], one["type"])
        for path, all_of_it in _settings()["results"].items()  # type: ignore[attr-defined]
        for one in all_of_it
    }
    found = {
        (path, one.secret_hash, one.type): one.line_number
        for path, one in _found(tree.ROOT, [path for path in tree.tracked() if path != BASELINE])
    }
    new = [
        f"{path}:{line}: {kind}"
        for (path, digest, kind), line in found.items()
        if (path, digest, kind) not in known
    ]
    assert not new, "remove it; if it is none, `make secrets` and look at what that writes"
    gone = [f"{path}: {kind}" for path, digest, kind in known - set(found)]
    assert not gone, "the baseline knows what is not there any more: `make secrets`"


def test_a_planted_secret_is_found(tmp_path: Path) -> None:
    key = "AKIA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))
    word = secrets.token_urlsafe(24)
    (tmp_path / "settings.py").write_text(f'aws = "{key}"\npassword = "{word}"\n')
    (tmp_path / "token.pem").write_text("-----BEGIN " + "PRIVATE KEY-----\n")
    kinds = {(path, one.type) for path, one in _found(tmp_path, [Path("settings.py"), Path("token.pem")])}
    assert kinds >= {
        ("settings.py", "AWS Access Key"),
        ("settings.py", "Secret Keyword"),
        ("token.pem", "Private Key"),
    }
