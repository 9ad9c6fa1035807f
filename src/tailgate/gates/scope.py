"""What a session was to measure: whether a saved benchmark that it lacks should be there."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tailgate.session.selection import is_of, place_of, selection_of, split

__all__ = ["Scope", "is_of", "split"]


class Scope:
    """One session's scope: its positional arguments, ``-k``, ``--deselect``, ``--ignore``, and what the project says.

    ``-m`` cannot be asked of a test that no longer exists, so it puts only those out of scope that were collected and
    deselected.
    """

    def __init__(self, config: pytest.Config, collected: Iterable[str], deselected: Iterable[str]) -> None:
        self._config = config
        self._collected = frozenset(collected)
        self._deselected = frozenset(deselected)
        self._selection = selection_of(config)

    def holds(self, fullname: str, extra_info: Mapping[str, Any]) -> bool:
        """Whether a saved benchmark is one that this session was to measure."""
        if any(is_of(fullname, nodeid) for nodeid in self._deselected):
            return False
        collected = any(is_of(fullname, nodeid) for nodeid in self._collected)
        # With --lf and --sw, pytest does not even collect what it does not want to run.
        partial = self._selection.last_failed or self._selection.stepwise
        if not collected and (partial or not self._selected(fullname)):
            return False
        answers = self._config.hook.pytest_tailgate_expected(
            config=self._config, fullname=fullname, extra_info=dict(extra_info)
        )
        return False not in answers

    def _selected(self, fullname: str) -> bool:
        root = self._config.rootpath
        return self._selection.covers(fullname, place_of(root / split(fullname)[0], root))
