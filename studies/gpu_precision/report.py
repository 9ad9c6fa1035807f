"""Study 3 across hardware, from saved runs of CPUs and GPUs: speed-ups, peaks, energy, answers, and the findings.

It compares rows of the same model, weights and image size. It leaves out and counts disturbed rows. Every ratio has an
interval, and a ratio whose interval contains 1 is no speed-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from studies.gpu_precision import batches, csv_files, picture, resources, speed
from studies.gpu_precision.findings import section
from studies.gpu_precision.reading import COMMAND, STUDY, Study, study_of
from studies.gpu_precision.repeats import repeatability
from studies.markdown_table import code, table, words
from studies.values import no_row
from tailgate import TailgateError
from tailgate.results.saved_run import Run

NAME = "deep-gap"
MOST_UNMEASURED = 40
"""Cells without a row that the report lists; it counts the rest."""


def render(runs: Sequence[Run]) -> str:
    """Markdown."""
    study = _study(runs)
    sections = (
        _sources, section, speed.over_the_cpu, speed.of_precision, speed.gpu_over_gpu, batches.peaks, batches.trade_off,
        resources.energy, resources.memory, resources.clocks, resources.answers, repeatability, _unmeasured,
    )  # fmt: skip
    parts = ["# GPU precision across hardware (study 3)\n", *(part for one in sections for part in one(study))]
    return "\n".join(part for part in parts if part)


def attachments(runs: Sequence[Run]) -> Mapping[str, bytes]:
    """Cells and ratios as CSV, and the pictures for which there is data."""
    study = _study(runs)
    files = {".csv": csv_files.cells(study), "-ratios.csv": csv_files.ratios(study)}
    return {**files, **picture.pictures(study)}


def _study(runs: Sequence[Run]) -> Study:
    study = study_of(runs)
    if study is None:
        raise no_row(NAME, f"row of the study {STUDY}", COMMAND)
    if not study.curves:
        why = ", ".join(f"{count} {reason}" for (_, reason), count in study.left_out.most_common(3))
        raise TailgateError(
            f"--format={NAME}: every row had to be left out ({why}); "
            f"measure again with: pytest {COMMAND} --benchmark-save=NAME"
        )
    return study


def _sources(study: Study) -> list[str]:
    lines = [
        (
            str(number), source.when, code(source.machine),
            "; ".join(f"{code(name)} ({count} rows)" for name, count in source.devices.items()) or "no row of it",
            source.driver or "-", source.packages or "-",
        )
        for number, source in enumerate(study.sources, start=1)
    ]  # fmt: skip
    parts = [table(("file", "day", "machine", "devices", "driver", "packages"), lines, text_columns=6)]
    if study.left_out:
        by_device: dict[str, Counter[str]] = {}
        for (device, reason), count in study.left_out.items():
            by_device.setdefault(device, Counter())[reason] += count
        said = "; ".join(
            f"{code(device)}: {', '.join(f'{count} {words(reason)}' for reason, count in reasons.items())}"
            for device, reasons in by_device.items()
        )
        parts.append(f"Rows left out of everything below: {said}.\n")
    mixed = _versions(study)
    return [*parts, f"Versions differ between rows, and so belong to what is compared: {mixed}.\n"] if mixed else parts


def _versions(study: Study) -> str:
    by_runtime: dict[str, set[str]] = {}
    for curve in study.curves:
        for cell in curve.cells:
            by_runtime.setdefault(curve.config.runtime, set()).update(cell.versions)
    different = {runtime: sorted(found) for runtime, found in by_runtime.items() if len(found) > 1}
    return "; ".join(f"{code(runtime)} {', '.join(map(code, found))}" for runtime, found in different.items())


def _unmeasured(study: Study) -> list[str]:
    if not study.unmeasured:
        return []
    counts = Counter(status for _, status, _ in study.unmeasured)
    lines = [(code(name), code(status), code(reason)) for name, status, reason in study.unmeasured[:MOST_UNMEASURED]]
    rest = len(study.unmeasured) - len(lines)
    return [
        "## Not measured\n",
        f"{', '.join(f'{count} {code(status)}' for status, count in counts.items())}.\n",
        table(("cell", "status", "reason"), lines, text_columns=3),
        f"And {rest} more.\n" if rest else "",
    ]
