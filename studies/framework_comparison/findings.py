"""The source's findings, and which of them hold, as a section of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from studies.framework_comparison import tables
from studies.framework_comparison.entries import Group
from studies.framework_comparison.predicates import (
    MARGIN_REL,
    NOT_MEASURED,
    STILL_AS_LARGE,
    VERDICTS,
    Finding,
    Judged,
    alike,
    extreme,
    ratio,
)
from studies.framework_comparison.published import NAMES
from studies.markdown_table import words

MODEL = "mlp"
"""What they are about."""
FINDINGS: Sequence[Finding] = (
    extreme("latency", "pytorch", most=False),
    extreme("latency", "openvino", most=True),
    ratio("latency", "tensorflow", "pytorch"),
    ratio("latency", "jax", "pytorch"),
    ratio("latency", "onnxruntime", "pytorch"),
    ratio("latency", "openvino", "pytorch"),
    ratio("latency", "tensorflow", "jax"),
    ratio("latency", "openvino", "onnxruntime"),
    extreme("CPU use", "jax", most=True),
    ratio("CPU use", "jax", "pytorch"),
    ratio("CPU use", "tensorflow", "pytorch"),
    alike("CPU use", ("pytorch", "onnxruntime", "openvino")),
    extreme("memory", "pytorch", most=False),
    extreme("memory", "openvino", most=True),
    alike("memory", tuple(NAMES)),
)
"""The tables and insights of the source, in its order."""


def section(groups: Sequence[Group], chosen: Group) -> list[str]:
    """Markdown: each finding in the source, measured here as there, and compared alike; then the other cells."""
    fair_groups = [group for group in groups if not group.key.as_published and group.key.model == MODEL]
    published = next((group for group in groups if group.key.as_published), None)
    title = "## Which findings of the source hold, and which reverse when compared alike\n"
    if not fair_groups and published is None:
        return [title, f"Not measured: they are about the {MODEL}, which is not in these runs.\n"]
    fair = chosen if chosen in fair_groups else None
    lines, verdicts = [], Counter[str]()
    reasons: list[str] = []
    for finding in FINDINGS:
        theirs = finding.judge(published.by_runtime) if published else Judged("", NOT_MEASURED, "no run as published")
        ours = finding.judge(fair.by_runtime) if fair else Judged("", NOT_MEASURED, "no run compared alike")
        verdicts[ours.verdict] += 1
        reasons += [f"{finding.text}: {one.reason}" for one in (theirs, ours) if one.reason and one.seen]
        lines.append((finding.text, finding.published, _said(theirs), ours.seen, _verdict(ours)))
    counted = ", ".join(f"{name}: {verdicts[name]}" for name in VERDICTS if verdicts[name])
    parts = [title]
    if fair:
        parts.append(f"Compared alike ({words(fair.key.label)}), {len(FINDINGS)} findings; {counted}.\n")
    headings = ("finding", "published", "as published, here", "compared alike", "verdict")
    parts.append(tables.table(headings, lines, text_columns=len(headings)))
    parts += [*(f"- {words(text)}" for text in dict.fromkeys(reasons)), ""]
    others = [group for group in fair_groups if group is not fair]
    if others:
        parts += ["The verdicts of the other cells:\n", _others(others)]
    parts.append(
        f"One framework clearly has more than another when the lower end of its range is above the upper end of the "
        f"other's by more than {MARGIN_REL['latency']:.0%} (latency; the range is the middle half of the rounds) or "
        f"{MARGIN_REL['memory']:.0%} (CPU use and memory, one number per row). A ratio is no longer so large when less "
        f"than {STILL_AS_LARGE:.0%} of the published one is left. Times of contended rows decide nothing.\n"
    )
    return parts


def _others(groups: Sequence[Group]) -> str:
    headings = ("finding", *(group.key.label.removeprefix(f"{MODEL}, ") for group in groups))
    lines = []
    for finding in FINDINGS:
        judged = [finding.judge(group.by_runtime) for group in groups]
        lines.append((finding.text, *(_said(one) if one.seen else one.verdict for one in judged)))
    return tables.table(headings, lines, text_columns=len(headings))


def _said(judged: Judged) -> str:
    return f"{judged.verdict}: {judged.seen}" if judged.seen else _verdict(judged)


def _verdict(judged: Judged) -> str:
    """The reason where nothing else is in the cell; those of a cell with numbers are below the table."""
    return f"{judged.verdict} ({judged.reason})" if judged.reason and not judged.seen else judged.verdict
