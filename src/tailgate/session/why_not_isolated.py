"""Why a session that asked for a process per benchmark runs them in its own."""

import sys
from typing import Any

import pytest


def why_not_isolated(config: pytest.Config) -> str | None:
    """One reason to show; ``None``: processes are possible; an empty text: nothing will be measured anyway."""
    option: Any = config.option
    if getattr(option, "benchmark_disable", False) and not option.benchmark_enable:
        return ""
    if getattr(option, "benchmark_skip", False) or option.collectonly:
        return ""
    if getattr(option, "dist", "no") != "no" or hasattr(config, "workerinput"):
        return ""  # pytest-benchmark disables itself under xdist
    if getattr(option, "usepdb", False) or getattr(option, "trace", False):
        return "the debugger needs this process's terminal"
    if any(getattr(option, name, False) for name in ("setuponly", "setupplan", "setupshow")):
        return "fixtures are to be shown, not measured"
    if _coverage_is_measured(config):
        return "coverage is measured here (and slows down every line: do not believe the times)"
    if not sys.platform.startswith(("linux", "darwin")):
        return f"processes of this kind are not available on {sys.platform}"
    return None


def _coverage_is_measured(config: pytest.Config) -> bool:
    if getattr(config.option, "cov_source", None) and not getattr(config.option, "no_cov", False):
        return True
    coverage: Any = sys.modules.get("coverage")
    current = getattr(getattr(coverage, "Coverage", None), "current", None)
    return bool(current and current() is not None)
