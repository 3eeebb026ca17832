"""The command line. Each command imports what it needs when it runs, so that `priyom --help` answers at once."""

from gateway.cli.main import main

__all__ = ["main"]
