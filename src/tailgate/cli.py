"""The ``tailgate`` command's earlier place (:mod:`tailgate.commands.main`)."""

from tailgate.commands.main import main

__all__ = ["main"]
