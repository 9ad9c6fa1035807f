"""A duet in the saved run: the verdicts, and the rounds from which they can be computed again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tailgate.errors import TailgateError, one_line
from tailgate.gates.duet.base import Base
from tailgate.gates.duet.campaign import Campaign, Record
from tailgate.gates.duet.decision import LOOKS
from tailgate.gates.duet.outcome import BASE, HEAD, Outcome
from tailgate.gates.duet.ratios import said_items
from tailgate.gates.duet.same_code import Ran
from tailgate.gates.duet.turns import BLOCK_S, Turns
from tailgate.gates.duet.verdicts import Judge
from tailgate.number import is_number
from tailgate.processes.attempt import Attempt
from tailgate.results.explanation import Explanation
from tailgate.results.limits import Limits
from tailgate.results.saved_run import Run
from tailgate.results.verdict import Verdict
from tailgate.session.settings import Settings
from tailgate.stats.decision import INCOMPARABLE, MISSING, NEW, UNDECIDED

UNMEASURED = frozenset({INCOMPARABLE, MISSING, NEW})


def duet_json(
    base: Base,
    commit: str | None,
    settings: Settings,
    records: Iterable[Record],
    verdicts: Sequence[Verdict],
    campaign: Campaign | None,
) -> dict[str, Any]:
    """``tailgate_duet`` of the saved run; docs/reference/json-fields.md has every field."""
    return {
        "base": {"ref": base.ref, "commit": commit, "python": base.python, "options": list(base.options)},
        "alpha": round(sum(alpha for _, alpha in LOOKS), 3),
        "pairs": settings.duet_pairs,
        "block_s": BLOCK_S,
        "side_s": settings.duet_s,
        "seed": settings.seed,
        "pairs_measured": campaign.done if campaign else 0,
        "wall_s": campaign.wall_s if campaign else None,
        "verdicts": [one.as_json() for one in verdicts],
        "benchmarks": [
            {
                "fullname": record.names[HEAD],
                "base_fullname": record.names[BASE],
                "limits_rel": dict(record.limits.relative),
                "code": {**record.ran.packages, "note": record.ran.note} if record.ran else None,
                "pairs": [_pair(outcome) for outcome in record.outcomes],
                "operators": record.explanation.as_json() if record.explanation else None,
            }
            for record in records
        ],
    }


def judged_again(run: Run, name: str, limits: Limits | None) -> list[Verdict]:
    """The verdicts from a saved duet's rounds; ``limits``: other ones than it was judged by.

    What had no rounds (missing, new, incomparable) stays as it was.

    Raises:
        TailgateError: the run has no duet, or a broken one; ``name`` is its file's.
    """
    duet = run.get("tailgate_duet")
    if not isinstance(duet, dict):
        raise TailgateError(f"{name}: not a duet (run one with pytest --duet=GIT_REF --benchmark-json={name})")
    try:
        judge = Judge(int(duet["pairs"]), lambda _: None)
        found: list[Verdict] = []
        for saved in duet["benchmarks"]:
            wanted = limits or Limits({metric: float(limit) for metric, limit in saved["limits_rel"].items()})
            names = (str(saved["base_fullname"]), str(saved["fullname"]))
            record = Record(names, wanted, family=len(duet["benchmarks"]))
            record.outcomes += [_outcome(pair) for pair in saved["pairs"]]
            if code := saved.get("code"):
                record.ran = Ran({}, note=code["note"])
            if operators := saved.get("operators"):
                record.explanation = Explanation.from_json(operators)
            if record.outcomes:
                found += judge.of(record)
        if limits is None:
            found = [_as_decided(one, duet["verdicts"]) for one in found]
        kept = [Verdict.from_json(one) for one in duet["verdicts"] if one["verdict"] in UNMEASURED]
        unmeasured = {one.fullname for one in kept}
        return [one for one in found if one.fullname not in unmeasured] + kept
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise TailgateError(f"{name}: its tailgate_duet is broken ({one_line(error)})") from error


def _as_decided(one: Verdict, saved: Sequence[dict[str, Any]]) -> Verdict:
    """The verdict of the rule that asked for these pairs, where today's would have asked for more."""
    if one.verdict != UNDECIDED:
        return one
    then = [old for old in saved if (old["fullname"], old["metric"]) == (one.fullname, one.metric)]
    return Verdict.from_json(then[0]) if then else one


def _outcome(saved: dict[str, Any]) -> Outcome:
    turns = Turns(int(saved["iterations"]), int(saved["rounds_per_block"]), int(saved["blocks"]), 0)
    sides = tuple(
        Attempt(rows=[{"extra_info": {"items_per_call": saved[f"{side}_items_per_call"]}}]) for side in ("base", "head")
    )
    rounds_s = tuple([float(value) for value in saved[f"{side}_rounds_s"]] for side in ("base", "head"))
    if not all(is_number(value) and value > 0 for side in rounds_s for value in side) or not all(rounds_s):
        raise ValueError("rounds must be seconds above 0")
    return Outcome(
        sides=(sides[BASE], sides[HEAD]),
        rounds_s=(rounds_s[BASE], rounds_s[HEAD]),
        turns=turns,
        first=BASE if saved["first"] == "base" else HEAD,
        cpu=saved["cpu"],
        steal_share=saved["steal_share"],
        other_cpus=saved["other_cpus"],
        rate_per_s=saved.get("load_rate_offered_per_s"),
        late_s=saved.get("load_late_s"),
    )


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
        **{
            f"{name}_items_per_call": said if (said := said_items(outcome, side)) is not None else 1
            for side, name in ((BASE, "base"), (HEAD, "head"))
        },
        "cpu": outcome.cpu,
        "steal_share": outcome.steal_share,
        "other_cpus": outcome.other_cpus,
        "load_rate_offered_per_s": outcome.rate_per_s,
        "load_late_s": outcome.late_s,
    }
