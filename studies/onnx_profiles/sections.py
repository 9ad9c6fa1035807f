"""The parts of study 4's report, each a heading and what is below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from studies.markdown_table import MISSING, code, number, table, words
from studies.onnx_profiles.correlation import can_both_be_true, linear_fit
from studies.onnx_profiles.pairs import Found, points
from studies.onnx_profiles.published import DEVICES, FLOPS_LATENCY, PARAMETERS_MEMORY, PUBLISHED, published
from studies.onnx_profiles.rows import (
    INTENSITY,
    MEMORY,
    SOURCE_INFERENCES,
    TLB_MISSES,
    Profile,
    inference_field,
    memory_meter,
    process_field,
)
from studies.values import per

SIZE = ("input", "models")
UNITS = {  # of a pair's line: heading and factor of the slope, heading and unit of the intercept
    FLOPS_LATENCY: ("ms per GFLOP", "intercept ms"),
    PARAMETERS_MEMORY: ("bytes per parameter", "intercept MB"),
}
TAIL = 5
"""How many of the most inefficient models are named."""


def correlations(found: Sequence[Found]) -> str:
    """Each pair's r and rho, beside the r that the source published for its four devices."""
    header = ("", "measured as", "n", "Pearson r", "95 % interval", "p", "Spearman ρ", "p", *DEVICES)
    lines = [(one.pair.published_name, one.pair.how, *_numbers(one), *_published(one)) for one in found]
    notes = [
        f"- {one.pair.published_name} ({one.pair.how}): left out: {_counts(one.left_out)}."
        for one in found
        if one.left_out
    ] + [
        f"- {one.pair.published_name} ({one.pair.how}): no r, because {one.correlation.reason}."
        for one in found
        if one.correlation.reason
    ]
    checked = sum(can_both_be_true(one.r, one.p, one.n) for one in PUBLISHED)
    text = (
        "The last four columns are the source's Pearson r, of 32 models on each device. Its r and p were checked "
        f"against each other: {checked} of {len(PUBLISHED)} published pairs can both be true.\n"
    )
    return "\n".join(["### Correlation\n", table(header, lines, text_columns=2), text, *notes, *[""][: len(notes)]])


def influences(found: Sequence[Found]) -> str:
    """The model without which each r changes most."""
    lines = []
    for one in found:
        model, whole = one.influential, one.correlation.pearson_r
        if one.influence is None or model is None or whole is None:
            continue
        without = one.influence.without
        lines.append(
            (one.pair.published_name, one.pair.how, named(model), _r(whole), _r(without.pearson_r),
             _p(without.pearson_p), str(without.n))
        )  # fmt: skip
    if not lines:
        return ""
    header = ("", "measured as", "without", "r of all", "r without it", "p", "n")
    text = "In the source, r of parameters and memory on the EPYC was 0.938, and 0.999 without ViT (p 4.3e-40).\n"
    return "\n".join(["### The most influential model\n", table(header, lines, text_columns=3), text])


def fits(found: Sequence[Found]) -> str:
    """A line for each input size, the series of the source's pictures, and one for all."""
    parts = []
    for one in found:
        if one.pair.published_name not in UNITS:
            continue
        slope, intercept = UNITS[one.pair.published_name]
        header = (*SIZE, slope, "± standard error", intercept, "± standard error", "R²")
        lines = [_fit(one, label, used) for label, used in by_size(one.used)]
        lines.append(_fit(one, "all", one.used))
        parts += [f"### Linear fits: {one.pair.published_name} ({one.pair.how})\n", table(header, lines)]
    return "\n".join(parts)


def inefficiency(measured: Sequence[Profile]) -> str:
    """The small-model inefficiency rate, or why there is none."""
    heading = "### Small-model inefficiency rate (SMIR)\n"
    rated = [one for one in measured if one.smir_process() is not None or one.smir_inference() is not None]
    if not rated:
        return "\n".join([heading, f"Not computed: {_why_no_counters(measured)}\n"])
    tail = sorted(rated, key=lambda one: max(one.smir_process() or 0, one.smir_inference() or 0), reverse=True)
    lines = [
        (named(one), number(one.smir_process(), 3), number(one.smir_inference(), 3), number(per(one.mean_s, 1e-3)))
        for one in tail[:TAIL]
    ]
    text = (
        "dTLB load misses / mean latency in ms / 10⁶. *Whole process* is the source's figure: it counts the "
        f"interpreter's start and {SOURCE_INFERENCES} inferences over the latency of one, so the start weighs most in "
        "small models. *Per inference* counts the inferences alone: the slope between two numbers of inferences, times "
        f"{SOURCE_INFERENCES}. {len(rated)} of {len(measured)} models have it; the largest:\n"
    )
    return "\n".join(
        [heading, text, table(("model", "whole process", "per inference", "mean ms"), lines)]
    )  # fmt: skip


def models(measured: Sequence[Profile]) -> str:
    """Every model, ordered by its FLOPs."""
    meter = memory_meter(measured)
    with_intensity = any(INTENSITY in one.measured for one in measured)
    with_smir = any(one.smir_process() is not None or one.smir_inference() is not None for one in measured)
    header = (
        "model", "input px", "parameters M", "GFLOP", "GMAC", "mean ms", "± sd", "median ms", "P99 ms",
        f"{meter or 'memory'} MB", "GFLOP/s", *(["FLOP/byte"] if with_intensity else []),
        *(["SMIR process", "SMIR inference"] if with_smir else []), "status",
    )  # fmt: skip
    lines = []
    for one in measured:
        memory = one.measured.get(MEMORY[meter]) if meter else None
        lines.append(
            (
                code(one.model), number(one.image_size_px, 0), number(per(one.parameters, 1e6)),
                number(per(one.flops, 1e9)), number(per(one.flops, 2e9)), number(per(one.mean_s, 1e-3)),
                number(per(one.stddev_s, 1e-3), 2), number(per(one.median_s, 1e-3)), number(per(one.p99_s, 1e-3)),
                number(per(memory, 1e6)), number(per(one.achieved_flop_per_s, 1e9), 3),
                *([number(one.measured.get(INTENSITY), 3)] if with_intensity else []),
                *([number(one.smir_process(), 3), number(one.smir_inference(), 3)] if with_smir else []),
                one.status,
            )
        )  # fmt: skip
    return "\n".join(["### Models\n", table(header, lines, text_last=True)])


def by_size(measured: Sequence[Profile]) -> list[tuple[str, list[Profile]]]:
    """The series: models of one input size, ascending; those without one last."""
    sizes = sorted({one.image_size_px for one in measured if one.image_size_px is not None})
    found = [(f"{size} px", [one for one in measured if one.image_size_px == size]) for size in sizes]
    others = [one for one in measured if one.image_size_px is None]
    return [*found, *([("no image", others)] if others else [])]


def named(one: Profile) -> str:
    """With its input's size where the name does not say it."""
    size = f" {one.image_size_px} px" if one.image_size_px and f"{one.image_size_px}px" not in one.model else ""
    return code(one.model) + size


def _fit(found: Found, label: str, used: Sequence[Profile]) -> tuple[str, ...]:
    line = linear_fit(*points(found.pair, used))
    if line.reason:
        return (label, str(line.n), line.reason, "", "", "", "")
    cells = (number(line.slope), number(line.slope_se, 2), number(line.intercept), number(line.intercept_se, 2))
    return (label, str(line.n), *cells, number(line.r2, 3))


def _numbers(one: Found) -> tuple[str, ...]:
    it = one.correlation
    interval = MISSING if it.low_r is None or it.high_r is None else f"{_r(it.low_r)} to {_r(it.high_r)}"
    return (str(it.n), _r(it.pearson_r), interval, _p(it.pearson_p), _r(it.spearman_rho), _p(it.spearman_p))


def _published(one: Found) -> list[str]:
    known = [published(one.pair.published_name, device) for device in DEVICES]
    return [_r(it.r) if it else MISSING for it in known]


def _counts(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {words(reason)}" for reason, count in counts)


def _r(value: float | None) -> str:
    """Three digits, as the source; more where three would be 1."""
    if value is None:
        return MISSING
    return f"{value:.3f}" if abs(value) < 0.9995 else f"{value:.5f}"


def _p(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:.1e}" if value > 0 else "< 1e-300"


def _why_no_counters(measured: Sequence[Profile]) -> str:
    """From the rows' own warnings; without any, the meter was not selected."""
    fields = (process_field(TLB_MISSES), inference_field(TLB_MISSES))
    if any(field in one.measured for one in measured for field in fields):
        return "no model with counters has an undisturbed latency."
    reasons = Counter(text for one in measured for text in one.warnings if "perf" in text)
    if not reasons:
        return "no counters in these rows; count with: --meters cpu,rss,perf"
    (reason, count), *others = reasons.most_common()
    more = f" ({count} of {len(measured)} models say so{'; other reasons, too' if others else ''})"
    return code(reason) + more
