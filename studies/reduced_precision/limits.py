"""The limits of ``--format accuracy``, and of the suite's own verdicts, from one environment variable."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from studies.reduced_precision.verdict import Limits
from tailgate import TailgateError, unknown_value

VARIABLE = "TAILGATE_ACCURACY"
"""``TAILGATE_ACCURACY=least_snr_db=20,least_top1=0.95``: fields of ``verdict.Limits``."""


def limits_from(environment: Mapping[str, str]) -> Limits:
    """The defaults, and what the variable says otherwise."""
    known = [field.name for field in dataclasses.fields(Limits)]
    changed: dict[str, float] = {}
    for part in environment.get(VARIABLE, "").split(","):
        name, _, text = (word.strip() for word in part.partition("="))
        if not name:
            continue
        if name not in known:
            raise TailgateError(unknown_value(VARIABLE, name, known, noun="limit"))
        try:
            changed[name] = float(text)
        except ValueError:
            changed[name] = math.nan
        if not math.isfinite(changed[name]):
            raise TailgateError(f"{VARIABLE}: {name} needs a number, not {text!r}, such as {name}={_default(name):g}")
    return dataclasses.replace(Limits(), **changed)


def _default(name: str) -> float:
    value: float = getattr(Limits(), name)
    return value
