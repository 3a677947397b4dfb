"""Why a package cannot be built: stable code and the reason in Thai and English, never with a value of a roster."""

from __future__ import annotations


class PackageFault(Exception):
    """Trying again will not help: the sealed round and what was received for it do not agree."""

    def __init__(self, code: str, th: str, en: str) -> None:
        super().__init__(code)
        self.code, self.th, self.en = code, th, en
