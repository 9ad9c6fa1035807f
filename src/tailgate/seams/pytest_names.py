"""Every private name of pytest that running a test elsewhere needs: here and nowhere else.

``tests/seams/test_seams.py`` has a canary for each.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.expression import Expression


def silence_terminal(config: pytest.Config) -> None:
    """No progress from this process: the session shows it. What a test prints is not touched."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    config.pluginmanager.unregister(reporter)
    config.pluginmanager.register(_Mute(reporter), "terminalreporter")


class _Mute:
    """The terminal reporter without its hooks, for code that needs it or its writer."""

    def __init__(self, reporter: Any) -> None:
        self._reporter = reporter

    def __getattr__(self, name: str) -> Any:
        if name.startswith("pytest_"):
            raise AttributeError(name)
        return getattr(self._reporter, name)


def redirect_capture(config: pytest.Config, descriptors: Sequence[int]) -> bool:
    """Let pytest's capturing by file descriptor use these files; ``False``: it captures in another way or not."""
    manager: Any = config.pluginmanager.get_plugin("capturemanager")
    capturing = getattr(manager, "_global_capturing", None)
    redirected = False
    for name, descriptor in zip(("out", "err"), descriptors, strict=True):
        capture = getattr(capturing, name, None)
        if capture is None or not hasattr(capture, "targetfd_save"):
            continue
        os.dup2(descriptor, capture.tmpfile.fileno())
        redirected = True
    return redirected


def make_base_temp(config: pytest.Config) -> None:
    """The folder behind ``tmp_path``, made once here: each process would make, and never remove, its own."""
    factory: Any = getattr(config, "_tmp_path_factory", None)
    if factory is not None:
        factory.getbasetemp()


def base_temp(config: pytest.Config) -> str | None:
    """The folder behind ``tmp_path``, where it has been made."""
    made = getattr(getattr(config, "_tmp_path_factory", None), "_basetemp", None)
    return None if made is None else str(made)


def use_base_temp(config: pytest.Config, folder: str | None) -> None:
    """Use another session's: this process would make, and never remove, its own; or empty a ``--basetemp``."""
    factory: Any = getattr(config, "_tmp_path_factory", None)
    if factory is not None and folder is not None:
        factory._basetemp = Path(folder)


def tear_down_to(item: pytest.Item, nextitem: pytest.Item | None) -> pytest.CallInfo[None] | None:
    """End the fixtures that earlier tests of *this* process left open and ``nextitem`` does not need.

    Returns:
        ``None`` when there was none, else how it went.
    """
    state: Any = item.session._setupstate
    if not state.stack:
        return None

    def tear_down() -> None:
        manager: Any = item.config.pluginmanager.get_plugin("capturemanager")
        with manager.item_capture("teardown", item) if manager else contextlib.nullcontext():
            state.teardown_exact(nextitem)

    return pytest.CallInfo.from_call(tear_down, when="teardown", reraise=(pytest.exit.Exception, KeyboardInterrupt))


def keyword_rule(text: str) -> Callable[[Callable[[str], bool]], bool]:
    """``-k TEXT`` as a function: it gets a function that tells whether a test matches a word of the text.

    Raises:
        SyntaxError: the text is not an expression of ``-k``.
    """
    found = Expression.compile(text)
    return lambda matches: found.evaluate(lambda word, /, **_: matches(word))


def options_of(config: pytest.Config) -> Iterator[tuple[str, Sequence[str]]]:
    """The attribute of ``config.option`` and the flags of each option that pytest and its plug-ins have."""
    parser: Any = config._parser
    for group in (parser._anonymous, *parser._groups):
        yield from ((option.dest, option.names()) for option in group.options)


def count_failed_subtest(config: pytest.Config, report: Any) -> None:
    """A failed subtest, told here again, fails its test as where it ran (pytest 9 counts them in the process)."""
    subtests: Any = sys.modules.get("_pytest.subtests")
    if subtests is None or not isinstance(report, subtests.SubtestReport) or not report.failed:
        return
    counts = config.stash.get(subtests.failed_subtests_key, None)
    if counts is not None:
        counts[getattr(report, "id", report.nodeid)] += 1  # 9.0 counts by text
