"""What a session was asked to measure: whether a saved benchmark that is not there now is one that should be."""

from __future__ import annotations

import fnmatch
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.expression import Expression


class Scope:
    """Of one session: its positional arguments, ``-k``, ``--deselect``, ``--ignore``, and what the project says.

    ``-m`` cannot be asked of a test that no longer exists, so it puts only those out of scope that were collected and
    deselected.
    """

    def __init__(self, config: pytest.Config, collected: Iterable[str], deselected: Iterable[str]) -> None:
        self._config = config
        self._collected = frozenset(collected)
        self._deselected = frozenset(deselected)
        option = config.option
        keyword = (option.keyword or "").strip()
        self._keyword = Expression.compile(keyword) if keyword else None
        self._arguments = [_resolved(config, argument) for argument in config.args]
        # With these, pytest does not even collect what it does not want to run.
        self._partial = bool(getattr(option, "lf", False) or getattr(option, "stepwise", False))

    def holds(self, fullname: str, extra_info: Mapping[str, Any]) -> bool:
        """Whether a saved benchmark is one that this session was to measure."""
        if any(is_of(fullname, nodeid) for nodeid in self._deselected):
            return False
        collected = any(is_of(fullname, nodeid) for nodeid in self._collected)
        if not collected and (self._partial or not self._selected(fullname)):
            return False
        answers = self._config.hook.pytest_tailgate_expected(
            config=self._config, fullname=fullname, extra_info=dict(extra_info)
        )
        return False not in answers

    def _selected(self, fullname: str) -> bool:
        path, names = split(fullname)
        file = self._config.rootpath / path
        option = self._config.option
        if any(fullname.startswith(prefix) for prefix in option.deselect or ()):
            return False
        here = self._config.invocation_params.dir
        if any(file.is_relative_to((here / ignored).resolve()) for ignored in option.ignore or ()):
            return False
        if any(fnmatch.fnmatch(str(file), str(here / glob)) for glob in option.ignore_glob or ()):
            return False
        if self._keyword and not self._keyword.evaluate(_Names([*Path(path).parts, *names])):
            return False
        return any(_within(file, names, *argument) for argument in self._arguments)


class _Names:
    """What ``-k`` matches: any part of any name on the way to a test."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = [name.lower() for name in names]

    def __call__(self, name: str, /, **_: Any) -> bool:
        return any(name.lower() in one for one in self._names)


def is_of(fullname: str, nodeid: str) -> bool:
    """Whether a row is of this test: it has its name, or, from a copy of the fixture, its name and more behind it."""
    more = fullname.removeprefix(nodeid) if fullname.startswith(nodeid) else None
    return more is not None and (not more or not (more[0].isalnum() or more[0] in "_["))


def split(nodeid: str) -> tuple[str, list[str]]:
    """``a/test_b.py::C::test_d[x::y]`` -> its path, and the names inside of it."""
    base, bracket, parameters = nodeid.partition("[")
    path, *names = base.split("::")
    if names:
        names[-1] += bracket + parameters
    return path, names


def _resolved(config: pytest.Config, argument: str) -> tuple[Path, list[str]]:
    path, names = split(argument)
    place = config.invocation_params.dir / path
    if config.option.pyargs and not place.exists():
        place = _module_place(path) or place
    return place.resolve(), names


def _module_place(name: str) -> Path | None:
    """Where ``--pyargs`` finds a module or a package."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if found is None:
        return None
    places = list(found.submodule_search_locations or ()) or [found.origin or ""]
    return Path(places[0])


def _within(file: Path, names: list[str], place: Path, wanted: list[str]) -> bool:
    """Whether a test is below a positional argument; a test's name stands for all of its parameters."""
    if not wanted:
        return file.resolve().is_relative_to(place)
    if file.resolve() != place or len(names) < len(wanted) or names[: len(wanted) - 1] != wanted[:-1]:
        return False
    name = names[len(wanted) - 1]
    return name == wanted[-1] or name.partition("[")[0] == wanted[-1]
