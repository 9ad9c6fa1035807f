"""What a session refuses: options that contradict each other, and processes where there can be none."""

import os
import sys
from typing import Any

import pytest

from tailgate.errors import TailgateError
from tailgate.session.settings import Settings


def refuse(config: pytest.Config, settings: Settings) -> None:
    """Refuse options of pytest-benchmark and pytest-codspeed that contradict ours.

    Raises:
        TailgateError: one line.
    """
    if settings.protocol and getattr(config.option, "benchmark_precision", None) is not None:
        raise TailgateError(
            f"--benchmark-precision stops at the first round that looks precise, and the protocol "
            f"{settings.protocol.name} fixes the rounds before timing; use --protocol=adaptive instead, or turn "
            "the protocol off with -o tailgate_protocol="
        )
    if settings.active and _codspeed(config):
        raise TailgateError(
            "--codspeed puts a benchmark fixture of its own in place of the one that Tailgate measures by; "
            "leave out --codspeed (and CODSPEED_ENV), or Tailgate's options here and in the ini file"
        )
    disabled = getattr(config.option, "benchmark_disable", False) and not config.option.benchmark_enable
    wanted = [flag for flag in ("compare", "save") if getattr(config.option, f"benchmark_{flag}", None)]
    if settings.active and disabled and wanted:
        raise TailgateError(f"--benchmark-{wanted[0]} measures nothing with --benchmark-disable; leave one of them out")


def _codspeed(config: pytest.Config) -> bool:
    """Whether pytest-codspeed measures in this session."""
    asked = getattr(config.option, "codspeed", False) or os.environ.get("CODSPEED_ENV") is not None
    return bool(asked and hasattr(config.option, "codspeed"))


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
