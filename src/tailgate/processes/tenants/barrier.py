"""How far each tenant is, and the parent's word to all once all are so far. No process is known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

STAGES = ("loaded", "warm", "prepared", "timed", "stopped")
"""Set up and called once; warm; the readings taken, and calling; the timed rounds done, and calling; at rest."""


class Barrier:
    """Of ``tenants`` tenants."""

    def __init__(self, tenants: int) -> None:
        self._told: list[list[dict[str, Any]]] = [[] for _ in range(tenants)]

    def heard(self, tenant: int, stage: str, content: dict[str, Any]) -> bool:
        """A tenant says that it is so far; whether now all are."""
        assert stage == STAGES[len(self._told[tenant])], stage
        self._told[tenant].append(content)
        return self.passed(stage)

    def passed(self, stage: str) -> bool:
        """Whether all are so far."""
        return min(self.reached) > STAGES.index(stage)

    @property
    def reached(self) -> list[int]:
        """By tenant, how many stages."""
        return [len(told) for told in self._told]

    def told(self, stage: str) -> list[dict[str, Any]]:
        """What each said there; all are so far."""
        return [told[STAGES.index(stage)] for told in self._told]


def agreed(wishes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The same for all: as many rounds as the slowest wants, of as many calls as the fastest needs for its clock."""
    slowest = max(wishes, key=lambda wish: wish["call_s"])
    return {"rounds": slowest["rounds"], "iterations": max(wish["iterations"] for wish in wishes)}
