"""What several documents are written with: YAML and Markdown that reads and compares well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

MADE_BY = "Made from the code by `make docs`; change the code, not this file."


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, nothing is an alias, long texts are folded."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - yaml's signature
        super().increase_indent(flow, False)

    def ignore_aliases(self, _: Any) -> bool:
        return True


def yaml_of(document: dict[str, Any]) -> str:
    """The document as YAML, in the order of its keys."""
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return f"# {MADE_BY}\n{body}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def page(title: str, *parts: Iterable[str]) -> str:
    """A Markdown page of these parts, each a run of lines, with a blank line between them."""
    paragraphs = [[f"# {title}"], [MADE_BY], *parts]
    return "\n\n".join("\n".join(lines) for lines in paragraphs) + "\n"
