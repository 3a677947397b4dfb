"""What several documents are written with: Markdown that reads and compares well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MADE_BY = "Made from the code by `make docs`; change the code, not this file."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def page(title: str, *parts: Iterable[str]) -> str:
    """A Markdown page of these parts, each a run of lines, with a blank line between them."""
    paragraphs = [[f"# {title}"], [MADE_BY], *parts]
    return "\n\n".join("\n".join(lines) for lines in paragraphs) + "\n"
