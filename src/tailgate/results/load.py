"""What a row under a load says in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tailgate.number import number
from tailgate.text import counted


def peak_lines(name: str, extra_info: Mapping[str, Any]) -> list[str]:
    """The peak that a search found; none where the row is of no search."""
    peak_per_s = number(extra_info.get("load_peak_per_s"))
    if peak_per_s is None:
        return []
    low, high = (number(extra_info.get(f"load_peak_{end}_per_s")) for end in ("low", "high"))
    ends = ", ".join("?" if end is None else f"{end:.4g}" for end in (low, high))
    probes = extra_info.get("load_probes")
    count = f"; {counted(len(probes), 'probes')}" if isinstance(probes, list) else ""
    return [f"{name}: peak {peak_per_s:.4g} requests/s [{ends}] within {extra_info.get('load_limit')}{count}"]
