"""What a duet cannot be combined with, said before anything is measured."""

from __future__ import annotations

import pytest

from tailgate.errors import TailgateError

NOT_WITH = {
    "benchmark_save": "--benchmark-save", "benchmark_autosave": "--benchmark-autosave",
    "benchmark_compare": "--benchmark-compare", "benchmark_compare_fail": "--benchmark-compare-fail",
    "benchmark_disable": "--benchmark-disable", "benchmark_skip": "--benchmark-skip",
}  # fmt: skip
"""A duet's rounds are of two sides that take turns: no baseline for, and not to be compared with, an ordinary run."""


def refuse(config: pytest.Config, not_isolated: str | None) -> None:
    """Refuse a duet beside what contradicts it.

    Args:
        config: of the session.
        not_isolated: why there can be no processes; ``None``: there can.

    Raises:
        TailgateError: one line, with what to leave out.
    """
    if not_isolated:
        raise TailgateError(f"--duet needs processes of its own: {not_isolated}")
    for option, flag in NOT_WITH.items():
        enabled = option == "benchmark_disable" and config.option.benchmark_enable
        if getattr(config.option, option, None) and not enabled:
            raise TailgateError(
                f"--duet does not go with {flag}: its rounds are of two sides in turns; leave one of them out"
            )
    if config.getoption("tailgate_gate", None) is not None:  # typed: an ini file's waits for a comparison
        raise TailgateError("--duet and --gate are two gates; leave one of them out")
    if getattr(config.option, "dist", "no") != "no":
        raise TailgateError("--duet measures one benchmark at a time; leave out xdist's -n")
