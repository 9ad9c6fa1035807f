"""How far each tenant is, and what the parent answers once all are there. No process is known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

STAGES = ("loaded", "warm", "prepared", "timed", "stopped")
"""Set up and called once; warm; the readings taken, and calling; the timed rounds done, and calling; at rest."""


class Barrier:
    """Tracks which stage each of ``tenants`` tenants has reached."""

    def __init__(self, tenants: int) -> None:
        self._contents: list[list[dict[str, Any]]] = [[] for _ in range(tenants)]

    def heard(self, tenant: int, stage: str, content: dict[str, Any]) -> bool:
        """Note that a tenant reached a stage; returns whether now all have."""
        assert stage == STAGES[len(self._contents[tenant])], stage
        self._contents[tenant].append(content)
        return self.passed(stage)

    def passed(self, stage: str) -> bool:
        """Whether all tenants have reached the stage."""
        return min(self.reached) > STAGES.index(stage)

    @property
    def reached(self) -> list[int]:
        """How many stages each tenant has reached."""
        return [len(of_one) for of_one in self._contents]

    def contents(self, stage: str) -> list[dict[str, Any]]:
        """What each tenant sent at a stage that all have reached."""
        return [of_one[STAGES.index(stage)] for of_one in self._contents]


def agreed(proposals: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Agree on the rounds that the slowest proposes, of as many calls as the fastest needs for its clock."""
    slowest = max(proposals, key=lambda proposal: proposal["call_s"])
    return {"rounds": slowest["rounds"], "iterations": max(proposal["iterations"] for proposal in proposals)}
