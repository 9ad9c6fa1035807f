"""Options that measure nothing, or something else, when they stand together: said before anything is measured."""

import os

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
