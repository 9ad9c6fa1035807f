"""What a page about a run says: its machine, its results, its verdicts; all as text, whatever was in the file."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tailgate.number import is_number, number
from tailgate.results.explanation import Explanation, saved_explanations
from tailgate.results.explanation_text import Table, tables
from tailgate.results.rows import Row, fleet_node, fleet_nodes, row, saved_row
from tailgate.results.saved_run import Run
from tailgate.results.verdict import Verdict, lenient_from_json, line, ordered
from tailgate.results.verdict_table import HEADINGS, cells, quantity, summary
from tailgate.text import printable

GATES = ("tailgate_gate", "tailgate_duet")
"""Fields of a saved run that have verdicts."""
OF_MEANS = "so percentiles are of such means"
"""Also in the warning of a protocol that chose so many calls itself."""
INTERVALS_NOTE = (
    "95 % interval of P99: as if rounds were independent; on a busy machine it held the run's P99 in 51 to 68 % of "
    "windows of consecutive rounds. By blocks: from rounds as they follow each other, never narrower"
)
MOST_OPERATORS = 50
"""Rows of a table of operators; all of them are in the saved run."""
RESULTS = ("benchmark", "status", "median", "P99", "95 % interval of P99", "by blocks", "throughput", "rounds", "note")
VALUES = (
    None, None, "median_s", "p99_s", "p99_low_s", "p99_blocks_low_s", "throughput_items_per_s", "rounds", None,
)  # fmt: skip
"""What each column of the results is sorted by, and below each of the verdicts; ``None``: by its text."""
VERDICT_VALUES = (
    None, None, None, "base", "head", "change_rel", "low_rel", "p", "limit_rel", "detectable_rel", None,
)  # fmt: skip
ANY_NAME = "NAME"
NOT_KNOWN = "not known"
"""Of a machine's fact."""


@dataclass(frozen=True)
class Content:
    """What a page says about one run."""

    title: str
    facts: Sequence[str]
    results: Sequence[Sequence[str]]
    """Rows of ``RESULTS``."""
    values: Sequence[Sequence[float | None]]
    """The same rows as numbers, in seconds and items per second, for sorting; ``None``: there is none."""
    verdicts: Sequence[Sequence[str]]
    """Rows of ``HEADINGS``, the gravest first; empty where nothing was judged."""
    verdict_values: Sequence[Sequence[float | None]]
    """The same rows as numbers, for sorting."""
    summary: str
    failures: Sequence[str]
    """The lines of what failed."""
    machine: Sequence[tuple[str, str]] = field(default=())
    """The fingerprint's facts, by name."""
    again: str = ""
    """The command that measures one of the rows again, with ``NAME`` for its name; empty: the file does not say."""
    operators: Sequence[Table] = ()
    """Of each explained benchmark of a duet."""
    results_note: str = ""
    """What a reader of the results' columns has to know."""

    results_headings = RESULTS
    verdicts_headings = HEADINGS


def content(
    title: str,
    facts: Iterable[str],
    rows: Iterable[Row],
    verdicts: Sequence[Verdict],
    machine: Iterable[tuple[str, str]] = (),
    again: str = "",
    explanations: Mapping[str, Explanation] = MappingProxyType({}),
) -> Content:
    """The content from rows as ``rows.row`` makes them; ``explanations``: of a duet, by full name."""
    found = ordered(verdicts)
    shown = list(rows)
    return Content(
        printable(title),
        [printable(fact) for fact in facts],
        [_result(one) for one in shown],
        [[None if key is None else number(one[key]) for key in VALUES] for one in shown],
        [cells(one) for one in found],
        [[None if key is None else getattr(one, key) for key in VERDICT_VALUES] for one in found],
        summary(found) if found else "",
        [line(one) for one in found if one.failed],
        [(printable(name), printable(value)) for name, value in machine],
        printable(again),
        tables(explanations, verdicts, MOST_OPERATORS),
        INTERVALS_NOTE if any(one["p99_s"] is not None for one in shown) else "",
    )


def of_run(run: Run) -> Content:
    """A saved one."""
    rows = [*(saved_row(bench) for bench in run["benchmarks"]), *unmeasured_rows(run)]
    commit = run.get("commit_info")
    commit_id = commit.get("id") if isinstance(commit, Mapping) else None
    title = f"Benchmarks of {str(run.get('datetime') or 'an unknown day')[:16]}"
    machine = run.get("machine_info") or {}
    if len(fleet_nodes(run)) > 1:
        for one, bench in zip(rows, run["benchmarks"], strict=False):  # the rows without numbers come last
            one["warnings"] = " | ".join(filter(None, [f"measured on {fleet_node(bench)}", one["warnings"]]))
    return content(
        title, machine_facts(machine, commit_id), rows, verdicts_of(run), fingerprint_facts(machine), _again(run),
        saved_explanations(run),
    )  # fmt: skip


def verdicts_of(run: Run) -> list[Verdict]:
    """Of every gate that the run had."""
    marks = [mark for name in GATES if isinstance(mark := run.get(name), Mapping)]
    return [lenient_from_json(one) for mark in marks for one in _mappings(mark.get("verdicts"))]


def unmeasured_rows(run: Run) -> list[Row]:
    """Of the benchmarks that have no numbers, with the reason among the warnings."""
    return [
        row(str(one.get("fullname")), None, {"status": one.get("status"), "warnings": [one.get("reason")]})
        for one in _mappings(run.get("unmeasured"))
    ]


def machine_facts(machine_info: Mapping[str, Any], commit_id: Any = None) -> list[str]:
    """A few lines on the machine and the commit."""
    facts = machine_info.get("fingerprint")
    lines = [f"commit {commit_id}"] if commit_id else []
    if isinstance(facts, Mapping):
        lines.append(f"{facts.get('cpu_model')}, {facts.get('usable_cpus')} usable CPUs")
        lines.append(f"machine {machine_info.get('fingerprint_id')}")
    return lines


def fingerprint_facts(machine_info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every fact that makes two numbers comparable; those of a run without a fingerprint are none."""
    facts = machine_info.get("fingerprint")
    if not isinstance(facts, Mapping):
        return
    yield "fingerprint_id", str(machine_info.get("fingerprint_id"))
    for name, value in facts.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, one in inner:
            said = ", ".join(map(str, one)) if isinstance(one, list) else NOT_KNOWN if one is None else str(one)
            yield f"{name} {key}".strip(), said or "none"


def _again(run: Run) -> str:
    how = run.get("tailgate_run")
    options = how.get("command_options") if isinstance(how, Mapping) else None
    if not isinstance(options, list) or not all(isinstance(one, str) for one in options):
        return ""
    return shlex.join(["pytest", ANY_NAME, *options])


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _result(one: Row) -> tuple[str, ...]:
    rounds = one["rounds"]
    return (
        printable(str(one["name"])),
        printable(str(one["status"])),
        _shown(one["median_s"], "median"),
        _shown(one["p99_s"], "p99"),
        _interval(one, "p99"),
        _interval(one, "p99_blocks"),
        _shown(one["throughput_items_per_s"], "throughput"),
        str(rounds) if isinstance(rounds, int) else "",
        printable(_note(one)),
    )


def _note(one: Row) -> str:
    warnings, calls = str(one["warnings"] or ""), one["iterations"]
    if not isinstance(calls, int) or calls < 2 or OF_MEANS in warnings:
        return warnings
    return " | ".join(filter(None, [warnings, f"a round is {calls} calls, {OF_MEANS}"]))


def _interval(one: Row, name: str) -> str:
    low, high = (_shown(one[key], "p99") or "?" for key in (f"{name}_low_s", f"{name}_high_s"))
    return f"{low} to {high}" if _shown(one["p99_s"], "p99") else ""


def _shown(value: Any, metric: str) -> str:
    return quantity(value, metric) if is_number(value) else ""
