"""A duet in the saved run: the verdicts, and the rounds that they can be had from again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tailgate.analysis.gate import ALPHA
from tailgate.duet.base import Base
from tailgate.duet.campaign import Campaign, Record
from tailgate.duet.pairs import BASE, HEAD, Outcome
from tailgate.duet.turns import BLOCK_S, SIDE_S
from tailgate.gate.verdict import Verdict
from tailgate.settings import Settings


def duet_json(
    base: Base,
    commit: str | None,
    settings: Settings,
    records: Iterable[Record],
    verdicts: Sequence[Verdict],
    campaign: Campaign | None,
) -> dict[str, Any]:
    """``tailgate_duet`` of the saved run; docs/json.md has every field."""
    return {
        "base": {"ref": base.ref, "commit": commit, "python": base.python, "options": list(base.options)},
        "alpha": ALPHA,
        "pairs": settings.duet_pairs,
        "block_s": BLOCK_S,
        "side_s": SIDE_S,
        "seed": settings.seed,
        "pairs_measured": campaign.done if campaign else 0,
        "wall_s": campaign.wall_s if campaign else None,
        "verdicts": [one.as_json() for one in verdicts],
        "benchmarks": [
            {
                "fullname": record.names[HEAD],
                "base_fullname": record.names[BASE],
                "pairs": [_pair(outcome) for outcome in record.outcomes],
            }
            for record in records
        ],
    }


def _pair(outcome: Outcome) -> dict[str, Any]:
    turns = outcome.turns
    assert turns is not None
    return {
        "first": "base" if outcome.first == BASE else "head",
        "iterations": turns.iterations,
        "rounds_per_block": turns.rounds,
        "blocks": turns.blocks,
        "base_rounds_s": outcome.rounds_s[BASE],
        "head_rounds_s": outcome.rounds_s[HEAD],
        "steal_share": outcome.steal_share,
        "other_cpus": outcome.other_cpus,
    }
