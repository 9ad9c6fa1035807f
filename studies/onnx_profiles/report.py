"""Findings of study 4 from saved runs: what correlates with latency, memory and cache misses of ONNX models.

Correlations beside the published ones, fits by input size, the small-model inefficiency rate, a table of the models;
and the source's pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studies.markdown_table import code, table, words
from studies.onnx_profiles import csv_file, pictures
from studies.onnx_profiles.pairs import evaluate, pairs
from studies.onnx_profiles.rows import STUDY, Profile, Profiles, Setting, memory_meter, profiles
from studies.onnx_profiles.sections import correlations, fits, inefficiency, influences, models
from studies.values import no_row
from tailgate.results.saved_run import Run
from tailgate.text import counted

NAME = "modelgauge"
COMMAND = "benchmarks/test_onnx_profiles.py"


def render(runs: Sequence[Run]) -> str:
    """Markdown, a part for each machine, runtime, precision and thread count."""
    found = _profiles(runs)
    parts = ["# Profiles of ONNX models (study 4)\n"]
    if found.repeated:
        parts.append(
            f"Rows that repeat a model and setting: {found.repeated}. The latest usable row counts, and the meters "
            "that it lacks come from the others.\n"
        )
    for setting, measured in found.by_setting.items():
        parts += _part(setting, measured)
    if found.unmeasured:
        lines = [(code(name), status, code(reason)) for name, status, reason in found.unmeasured]
        parts += ["## Not measured\n", table(("benchmark", "status", "reason"), lines, text_columns=3)]
    return "\n".join(part for part in parts if part)


def attachments(runs: Sequence[Run]) -> Mapping[str, bytes]:
    """The table of the models as CSV, and the pictures for which there is data."""
    found = _profiles(runs)
    drawn = {
        "-latency.png": pictures.latency(found.by_setting),
        "-memory.png": pictures.memory(found.by_setting),
        "-smir.png": pictures.smir(found.by_setting),
    }
    known = {suffix: content for suffix, content in drawn.items() if content is not None}
    return {".csv": csv_file.render(found).encode(), **known}


def _profiles(runs: Sequence[Run]) -> Profiles:
    found = profiles(runs)
    if not found.by_setting:
        raise no_row(NAME, f"row of the study {STUDY}", COMMAND)
    return found


def _part(setting: Setting, measured: Sequence[Profile]) -> list[str]:
    contended = sum(not one.usable for one in measured)
    left_out = f", {contended} of them disturbed and left out where time matters" if contended else ""
    counters = sorted({one.flops_counter for one in measured if one.flops_counter})
    flops = f" FLOPs = 2 × MACs, counted by {words(', '.join(counters))}." if counters else ""
    meter = memory_meter(measured)
    found = [evaluate(pair, measured) for pair in pairs(measured)]
    memory = f" Memory: {meter}." if meter else " No memory was measured."
    return [
        f"## {code(setting.title)}\n",
        f"{code(setting.machine)}; {counted(len(measured), 'models')}{left_out}.{flops}{memory}\n",
        correlations(found),
        influences(found),
        fits(found),
        inefficiency(measured),
        models(measured),
    ]
