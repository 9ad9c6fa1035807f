"""A saved duet that was written rather than measured."""

import math
from typing import Any

STATS = {"min": 1.0, "max": 1.0, "mean": 1.0, "stddev": 0.0, "median": 1.0, "rounds": 1}


def a_pair(change_rel: float, index: int, rounds: int = 60) -> dict[str, Any]:
    base = [1e-3 * (1 + 0.001 * math.sin(7.0 * index + call)) for call in range(rounds)]
    return {
        "first": "base" if index % 2 else "head",
        "iterations": 1,
        "rounds_per_block": 2,
        "blocks": rounds // 2,
        "base_rounds_s": base,
        "head_rounds_s": [second * (1 + change_rel + 0.002 * math.cos(3.0 * index)) for second in base],
        "base_items_per_call": 1.0,
        "head_items_per_call": 1.0,
        "cpu": 0,
        "steal_share": 0.03,
        "other_cpus": None,
    }


def a_run(*changes_rel: float, name: str = "test_a.py::test_{}", **duet: Any) -> dict[str, Any]:
    names = [name.format(number) for number in range(len(changes_rel))]
    return {
        "benchmarks": [{"name": one, "fullname": one, "stats": STATS, "extra_info": {}} for one in names],
        "tailgate_duet": {
            "base": {"ref": "main", "commit": "0" * 40, "python": None, "options": []},
            "pairs": 10,
            "verdicts": [],
            "benchmarks": [
                {
                    "fullname": one,
                    "base_fullname": one,
                    "limits_rel": {"median": 0.02, "p99": 0.1},
                    "pairs": [a_pair(change_rel, index) for index in range(20)],
                }
                for one, change_rel in zip(names, changes_rel, strict=True)
            ],
            **duet,
        },
    }
