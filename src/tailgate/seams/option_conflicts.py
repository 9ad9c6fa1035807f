"""Options that give way: a project's own ``--seed`` wins over ours, and ours stays as its ini value.

pytest loads an installed plug-in before a project's conftest, so without this a project that has long had
an option of the same name could no longer run its tests once Tailgate is installed. pytest also reads the
command line once before it knows that project's options, so ours must not insist on a value there.
"""

import argparse
from collections.abc import Callable
from typing import Any

import pytest


def add_option(group: pytest.OptionGroup, flag: str, dest: str, **attributes: Any) -> None:
    """Add ``flag``, unless another plug-in has it already."""
    try:
        group.addoption(flag, dest=dest, **attributes)
    except (ValueError, argparse.ArgumentError):
        return  # theirs; ours is still to be had in the ini file


def give_way(parser: pytest.Parser, dests: set[str]) -> None:
    """Let whoever defines one of our flags later take it from us; all other conflicts stay errors."""
    optparser: Any = parser.optparser
    for group in [optparser, *(known._arggroup for known in parser._groups)]:
        _resolving(group, dests)
    make_group: Callable[..., Any] = optparser.add_argument_group

    def add_argument_group(*arguments: Any, **options: Any) -> Any:
        return _resolving(make_group(*arguments, **options), dests)

    optparser.add_argument_group = add_argument_group


def _resolving(container: Any, dests: set[str]) -> Any:
    """Let an argparse container resolve conflicts with options of ours, in the newcomer's favour."""
    refuse, resolve = container._handle_conflict_error, container._handle_conflict_resolve

    def handle(action: argparse.Action, conflicts: list[tuple[str, argparse.Action]]) -> None:
        ours = all(known.dest in dests for _, known in conflicts)
        (resolve if ours else refuse)(action, conflicts)

    container._handle_conflict_error = handle
    return container
