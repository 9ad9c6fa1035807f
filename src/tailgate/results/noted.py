"""``extra_info`` of several measurements in one test: copies of the fixture share one dictionary.

What one measurement noted there (status, meters, warnings) is not the next one's; what the test itself wrote is.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tailgate.results.merging import same


class Noted:
    """What one measurement noted; made before it, and ended after it."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self._before = {name: _kept(value) for name, value in info.items()}
        self._ours: set[str] = set()

    def end(self) -> None:
        """Take whatever has changed since the start as the measurement's."""
        self._ours = {name for name, value in self.info.items() if not self._as_before(name, value)}

    def without(self) -> dict[str, Any]:
        """A dictionary of its own for the next one: what the test wrote before and since."""
        kept = {name: _kept(value) for name, value in self.info.items() if name not in self._ours}
        return {**kept, **{name: _kept(value) for name, value in self._before.items() if name in self._ours}}

    def _as_before(self, name: str, value: Any) -> bool:
        if name not in self._before:
            return False
        return same(value, self._before[name]) if isinstance(value, list) else value is self._before[name]


NOTED = pytest.StashKey[list[Noted]]()
"""Of a test, in order."""


def as_info(value: Any) -> dict[Any, Any]:
    """``extra_info`` as a dictionary; what a test has put in the place of one is kept under its name."""
    if isinstance(value, dict):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    return {} if value is None else {"extra_info": value}


def _kept(value: Any) -> Any:
    """Lists are added to where they are: ``warnings``."""
    return list(value) if isinstance(value, list) else value
