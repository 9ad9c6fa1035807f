"""Saved runs whose names are commands: no report obeys them, in a terminal, in Markdown, HTML or a spreadsheet."""

import copy
import csv
import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import profiles
import pytest
import synthetic_gpus
import test_accuracy
import test_framework_comparison_report
import test_load_report
import test_roofline_report
import test_training_report
from histories import saved_run
from suite import ROOT

from tailgate.commands.formats import formats
from tailgate.errors import TailgateError
from tailgate.results.spreadsheet import harmless
from tailgate.text import UNPRINTABLE

Run = dict[str, Any]
HOSTILE = "=cmd()\n\x1b[31m\u202e<script>alert(1)</script>|[a](http://x)"
FACTS = {"cpu_model": "A CPU", "usable_cpus": 2, "memory_total_bytes": 2**34, "packages": {"torch": "2.11"}}


def study_1() -> Run:
    """The cells of one model on one and two threads, at two batch sizes."""
    rows = []
    for threads in (1, 2):
        for batch_size in (1, 4):
            info = {
                "study": "cpu-scaling", "model": "resnet18", "runtime": "pytorch", "precision": "fp32",
                "threads": threads, "batch_size": batch_size, "items_per_call": batch_size, "image_size": 224,
                "status": "ok", "warnings": ["mind"], "model_sha256": "ab", "weights": "random",
                "runtime_version": "2.11",
            }  # fmt: skip
            name = f"test_cpu_scaling[resnet18-t{threads}-b{batch_size}]"
            stats = dict.fromkeys(("min", "max", "mean", "median", "p90", "p95", "p99"), 0.01 * batch_size / threads)
            stats |= {"stddev": 0.0, "rounds": 400, "iterations": 1, "data": [0.01] * 400, "throughput": 100.0}
            rows.append({"name": name, "fullname": f"benchmarks/test_x.py::{name}", "stats": stats, "extra_info": info})
    machine = {"fingerprint": FACTS, "fingerprint_id": "0123456789ab"}
    gone = {"fullname": "benchmarks/test_x.py::test_gone", "status": "failed", "reason": "a reason"}
    return {"benchmarks": rows, "machine_info": machine, "datetime": "2026-11-21T12:00", "unmeasured": [gone]}


def of_gpus() -> Run:
    gone = {"fullname": "benchmarks/test_x.py::test_gone", "status": "failed", "reason": "a reason"}
    gpus, cpus = (
        rows(("resnet18",)) for rows in (partial(synthetic_gpus.gpu_rows, "NVIDIA X"), synthetic_gpus.cpu_rows)
    )
    return synthetic_gpus.run(*gpus, *cpus, gpu="NVIDIA X", unmeasured=[gone])


def of_profiles() -> Run:
    run = profiles.run()
    return {**run, "benchmarks": run["benchmarks"][:6]}


def of_training() -> Run:
    return test_training_report.run(*(test_training_report.bench(name) for name in ("resnet18", "vit_b_16")))


def of_roofline() -> Run:
    return test_roofline_report.run(*test_roofline_report.peaks(), test_roofline_report.cell("one", 60))


def of_accuracy() -> Run:
    return test_accuracy.run(test_accuracy.cell("fp32"), test_accuracy.cell("int8", 5e-4))


def of_load() -> Run:
    return saved_run(*(test_load_report.loaded(rate, load_limit="p99=50ms") for rate in test_load_report.RATES))


RUNS: dict[str, Callable[[], Run]] = {
    "accuracy": of_accuracy,
    "bencher": study_1,
    "deep-gap": of_gpus,
    "deep-gap-csv": of_gpus,
    "framework-comparison": test_framework_comparison_report.fair_run,
    "gdev-ai": study_1,
    "github-action-benchmark": study_1,
    "html": study_1,
    "load": of_load,
    "markdown": study_1,
    "modelgauge": of_profiles,
    "openmetrics": study_1,
    "otava-csv": study_1,
    "roofline": of_roofline,
    "scaling": study_1,
    "training": of_training,
    "trtexec": of_gpus,
}
CSV_TEXTS = frozenset({"gdev-ai", "deep-gap-csv", "otava-csv"})
NO_MARKUP = frozenset({"bencher", "github-action-benchmark", "openmetrics", "trtexec"})
"""For other programs (tests/results/test_exports.py), or what TensorRT's own tool prints."""


def strings(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a run a text stands; of rows and lists alike, only one path: an index is ``None``."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from strings(one, (*path, key))
    elif isinstance(value, list):
        for one in value:
            yield from strings(one, (*path, None))


def spoil(value: Any, path: tuple[Any, ...]) -> Any:
    """The text at this path, of every row, becomes hostile."""
    if not path:
        return f"{HOSTILE}{value}" if isinstance(value, str) else value
    if isinstance(value, dict) and path[0] in value:
        value[path[0]] = spoil(value[path[0]], path[1:])
    elif isinstance(value, list):
        value[:] = [spoil(one, path[1:]) for one in value]
    return value


def spoiled(name: str) -> Iterator[tuple[tuple[Any, ...], Run]]:
    """The format's run with one field hostile, field by field."""
    for path in dict.fromkeys(strings(RUNS[name]())):
        yield path, spoil(copy.deepcopy(RUNS[name]()), path)


def assert_harmless_text(text: str) -> None:
    assert not UNPRINTABLE.search(text.replace("\n", ""))
    outside_code = re.sub(r"`[^`\n]*`", "", text)
    assert "<script>" not in outside_code
    assert "](http://x)" not in outside_code
    for line, following in zip(text.split("\n"), text.split("\n")[1:], strict=False):
        if line.startswith("|") and following.startswith("|"):
            bars = [len(re.findall(r"(?<!\\)\|", one)) for one in (line, following)]
            assert bars[0] == bars[1], (line, following)


def assert_harmless_csv(text: str) -> None:
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            assert harmless(cell) == cell or cell.startswith("'"), cell


def rendered_or_refused(render: Callable[[list[Run]], str], run: Run) -> tuple[str | None, str]:
    try:
        return render([run]), ""
    except TailgateError as error:
        return None, str(error)


def test_every_format_is_driven() -> None:
    assert set(RUNS) == set(formats(ROOT))


@pytest.mark.parametrize("name", RUNS)
def test_no_report_obeys_a_name(name: str) -> None:
    render, rendered = formats(ROOT)[name].render, 0
    for path, run in spoiled(name):
        text, refused = rendered_or_refused(render, run)
        if text is None:
            assert not UNPRINTABLE.search(refused), path
            continue
        rendered += 1
        if name in CSV_TEXTS:
            assert_harmless_csv(text)
        elif name in NO_MARKUP:
            assert not UNPRINTABLE.search(text.replace("\n", ""))
        elif name == "html":
            assert "<script>alert" not in text
            assert not UNPRINTABLE.search(text.replace("\n", ""))
        else:
            assert_harmless_text(text)
    assert rendered > 3


@pytest.mark.parametrize("name", [name for name, one in formats(ROOT).items() if one.attachments])
def test_what_lies_beside_a_report_is_no_formula(name: str) -> None:
    run = spoil(copy.deepcopy(RUNS[name]()), ("benchmarks", None, "extra_info", "model"))
    attachments = formats(ROOT)[name].attachments
    assert attachments is not None
    for suffix, content in attachments([run]).items():
        if suffix.endswith(".csv"):
            assert_harmless_csv(content.decode())
        elif suffix.endswith(".json"):
            assert not UNPRINTABLE.search(content.decode().replace("\n", ""))
        else:
            assert content.startswith(b"\x89PNG")
