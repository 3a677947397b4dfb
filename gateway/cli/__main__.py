"""`python -m gateway.cli` is `tabian`."""

from gateway.cli import main

main()
