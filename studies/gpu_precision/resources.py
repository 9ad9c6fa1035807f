"""The sections on energy, memory, the two clocks, and the answers."""

from __future__ import annotations

from collections.abc import Callable

from studies.gpu_precision import text
from studies.gpu_precision.cells import Cell, Curve, Subject
from studies.gpu_precision.ratios import fp32_of, over_fp32
from studies.gpu_precision.reading import Study
from studies.markdown_table import code, number, table
from studies.values import MIB

LAUNCH_BOUND_SHARE = 0.2
"""A larger share of host time beyond the device's own is bold."""
BY_NVML = "†"
NO_GPU = "Not shown: no row on a GPU in these files.\n"
NO_POWER = "these rows have no power or energy (measure with --meters nvml on a GPU)"


def energy(study: Study) -> list[str]:
    """Images per joule and per second and watt, at the peak and at their best."""
    title = "## Energy\n"
    curves = [curve for curve in study.curves if curve.device.is_gpu]
    if not curves:
        return [title, NO_GPU]
    header = (
        "device", "runtime, precision", "at the peak: W", "images/J", "images/s/W", "best images/J", "at batch",
        "over fp32", "energy ±",
    )  # fmt: skip

    def part(_: Subject, mine: list[Curve]) -> str:
        lines = [_energy(curve, fp32_of(curve, mine, curve.config.runtime)) for curve in mine if curve.device.is_gpu]
        return table(header, lines, text_columns=2) if lines else ""

    parts = [title, *text.by_subject(study, part)]
    lacking = [curve for curve in curves if curve.top.images_per_joule is None]
    if lacking:
        why = text.reasons(lacking, ("power", "energy", "nvml"), NO_POWER)
        parts.append(f"`{text.MISSING}` in {len(lacking)} line(s): {'; '.join(map(code, why))}.\n")
    return [
        *parts,
        "images/J comes from the energy of the timed rounds. images/s/W is the median throughput over the mean power. "
        "They differ by the pauses between rounds. Best: the largest images/J of any batch. Over fp32: against the "
        "best of fp32 by the same runtime.\n",
    ]


def memory(study: Study) -> list[str]:
    """Peaks by batch, in MiB."""

    def shown(cell: Cell) -> str | None:
        value = cell.memory_peak_bytes
        mark = "" if cell.memory_field == "gpu_memory_peak_bytes" else BY_NVML
        return None if value is None else f"{number(value / MIB, 4)}{mark}"

    return _by_batch(
        study, "## Device memory (peak, MiB)\n", shown, ("memory",),
        "no gpu_memory_peak_bytes in the rows, and for runtimes other than pytorch no figure of NVML's",
        f"For pytorch's runtimes the peak of torch's allocator. `{BY_NVML}`: the others allocate for themselves, so "
        "the figure is NVML's, for the process where the driver gives it, else for the board, with CUDA's context.\n",
    )  # fmt: skip


def clocks(study: Study) -> list[str]:
    """Share of a call's host time in which the device did not work."""

    def share(cell: Cell) -> str | None:
        if cell.gpu_share is None:
            return None
        alone = 1 - cell.gpu_share
        shown = f"{round(100 * alone)}%"  # an integer has no -0
        return f"**{shown}**" if alone > LAUNCH_BOUND_SHARE else shown

    return _by_batch(
        study, "## Host time beyond the device's own\n", share, ("event", "device clock", "gpu_time"),
        "no gpu_time_median_s in their rows",
        "1 − device time / host time, medians of the same rounds: the cost of launching and waiting. Bold: more than "
        f"{LAUNCH_BOUND_SHARE:.0%}. There the host is the limit, and a GPU with more arithmetic is no faster.\n",
    )  # fmt: skip


def answers(study: Study) -> list[str]:
    """Errors beside the speed-ups."""
    header = (
        "device", "runtime, precision", "largest output error", "least top-1 agreement", "peak images/s",
        "peak over fp32 (95 %)",
    )  # fmt: skip

    def part(_: Subject, curves: list[Curve]) -> str:
        gains = {id(row.curve): row.peak for row in over_fp32(curves)}
        lines = []
        for curve in curves:
            errors, top1 = (
                [cell.facts[name] for cell in curve.cells if name in cell.facts]
                for name in ("output_error_rel", "top1_agreement")
            )
            gain = gains.get(id(curve))
            lines.append(
                (
                    code(curve.device.name), curve.config.label, f"{max(errors):.1e}" if errors else text.MISSING,
                    f"{min(top1):.1%}" if top1 else text.MISSING, text.images(curve.peak.value),
                    text.MISSING if gain is None else text.with_interval(gain.ratio),
                )
            )  # fmt: skip
        return table(header, lines, text_columns=2)

    return [
        "## Accuracy beside speed\n",
        *text.by_subject(study, part),
        "The error is relative to the fp32 answer of the same weights (`output_error_rel`), the worst of all batches. "
        "Agreement is the share of items with the same largest output. With random weights the largest outputs are "
        "near-ties, and agreement says little.\n",
    ]


def _energy(curve: Curve, fp32: Curve | None) -> tuple[str, ...]:
    top, best = curve.top, best_per_joule(curve)
    base = best_per_joule(fp32) if fp32 is not None and fp32 is not curve else None
    gain = None
    if best is not None and base is not None and best.images_per_joule and base.images_per_joule:
        gain = best.images_per_joule / base.images_per_joule
    uncertain = top.facts.get("energy_uncertainty_rel")
    return (
        code(curve.device.name), curve.config.label, number(top.facts.get("power_mean_w"), 3, text.MISSING),
        text.images(top.images_per_joule), text.images(top.images_per_s_per_w),
        text.images(None if best is None else best.images_per_joule), text.MISSING if best is None else str(best.batch),
        text.MISSING if gain is None else text.factor(gain),
        text.MISSING if uncertain is None else f"{uncertain:.0%}",
    )  # fmt: skip


def best_per_joule(curve: Curve) -> Cell | None:
    """The batch with the most images a joule; ``None``: no batch has energy."""
    known = [cell for cell in curve.cells if cell.images_per_joule is not None]
    return max(known, key=lambda cell: cell.images_per_joule or 0.0, default=None)


def _by_batch(
    study: Study, title: str, shown: Callable[[Cell], str | None], words: tuple[str, ...], otherwise: str, note: str
) -> list[str]:
    curves = [curve for curve in study.curves if curve.device.is_gpu]
    if not curves:
        return [title, NO_GPU]

    def part(_: Subject, mine: list[Curve]) -> str:
        return text.by_batch([curve for curve in mine if curve.device.is_gpu], shown)

    parts = [title, *text.by_subject(study, part)]
    lacking = [curve for curve in curves if all(shown(cell) is None for cell in curve.cells)]
    if lacking:
        why = "; ".join(map(code, text.reasons(lacking, words, otherwise)))
        parts.append(f"Missing for {len(lacking)} of {len(curves)} configurations: {why}.\n")
    return [*parts, note] if len(lacking) < len(curves) else parts
