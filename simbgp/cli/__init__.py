"""The command line, one file per command; what is heavy is imported by the command that needs it."""

from simbgp.cli.app import main

__all__ = ["main"]
