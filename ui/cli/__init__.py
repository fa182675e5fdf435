"""Command line interface of Backfile."""

from ui.cli.main import main

__all__ = ["main"]
