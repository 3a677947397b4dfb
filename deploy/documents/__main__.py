"""`python -m deploy.documents`: write every made document; with --check only say which are stale, and fail."""

from __future__ import annotations

import sys

import click

from deploy.documents import stale, write


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if a document is not what the code says.")
def main(check: bool) -> None:
    """Write the documents that are made from the code."""
    paths = stale() if check else write()
    for path in paths:
        click.echo(f"{path}: {'stale; run make docs' if check else 'written'}")
    if check and paths:
        sys.exit(1)


if __name__ == "__main__":
    main()
