"""The command that measures one benchmark again, as it was measured now."""

import shlex
from collections.abc import Sequence

import pytest

OUTPUTS = (
    "--benchmark-save", "--benchmark-autosave", "--benchmark-json", "--benchmark-histogram", "--junitxml",
    "--junit-xml", "--report", "--csv", "--journal", "--resume", "--deselect", "--maxfail", "--exitfirst",
)  # fmt: skip
SWITCHES = ("--resume", "--exitfirst", "--benchmark-autosave")
"""Those of them that take no value."""
SHORT_WITH_VALUE = ("-k",)
SHORT = ("-x", "-q", "-v", "-s", "-qq", "-vv")


def command(config: pytest.Config, nodeid: str) -> str:
    """``pytest NODEID`` with the options that decide how it is measured; nothing that writes a file."""
    return shlex.join(["pytest", nodeid, *options(config)])


def options(config: pytest.Config) -> list[str]:
    """Those of the session's command that decide how it measures, as typed."""
    return _kept(config.invocation_params.args, set(config.args))


def _kept(arguments: Sequence[object], positional: set[str]) -> list[str]:
    kept: list[str] = []
    skip_next = False
    for text in map(str, arguments):
        if skip_next:
            skip_next = False
            continue
        name, equals, _ = text.partition("=")
        if name in SHORT_WITH_VALUE or (name in OUTPUTS and not equals and name not in SWITCHES):
            skip_next = True
            continue
        if text in positional or name in OUTPUTS or text in SHORT or text.startswith("-k"):
            continue
        kept.append(text)
    return kept
