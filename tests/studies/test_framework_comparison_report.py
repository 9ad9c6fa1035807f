"""Study 2's report on written runs: the source's CSV, the findings' verdicts, the picture."""

import csv
import io
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import ROOT

from studies.framework_comparison import picture
from studies.framework_comparison.entries import Entry, Value
from studies.framework_comparison.findings import FINDINGS
from studies.framework_comparison.groups import groups_of
from studies.framework_comparison.predicates import alike, extreme, ratio
from studies.framework_comparison.published import CPU_PERCENT, LATENCY_MS, MEMORY_MB, NAMES
from studies.framework_comparison.report import attachments, headline, render, suffixes
from studies.framework_comparison.tables import COLUMNS, as_csv, relative
from studies.markdown_table import words
from studies.values import MIB
from tailgate.commands.formats import formats
from tailgate.errors import TailgateError

HEADER = (
    "Framework,Latency (milliseconds),CPU Usage (%),Memory Usage (MB),"
    "Relative Latency,Relative CPU Usage,Relative Memory Usage"
)
FAIR_MS = {"pytorch": 0.54, "tensorflow": 0.74, "jax": 0.43, "onnxruntime": 0.34, "openvino": 0.23}
"""docs/suite/study2.md: batch 1000 on a machine of two CPUs."""
PNG = b"\x89PNG\r\n\x1a\n"


def fair(runtime: str, latency_ms: float, **changes: Any) -> dict[str, Any]:
    """A saved row, compared alike."""
    info = {
        "study": "framework-comparison", "model": "mlp", "runtime": runtime, "runtime_version": "1.2",
        "precision": "fp32",
        "threads": 2, "batch_size": 1000, "image_size": None, "weights": "random", "model_sha256": "ab" * 32,
        "protocol": "quick", "status": "ok", "warnings": [], "cpu_utilization": 0.9, "rss_peak_bytes": 200 * MIB,
        "rss_growth_bytes": 20 * MIB, "load_s": 0.1, "first_call_s": 0.2, **changes,
    }  # fmt: skip
    cell = f"mlp-{runtime}-fp32-t{info['threads']}-b{info['batch_size']}"
    return _row(f"test_framework_comparison[{cell}]", latency_ms, info)


def as_published(runtime: str, latency_ms: float | None = None, **changes: Any) -> dict[str, Any]:
    """A saved row of ``--protocol=paper``; by default with the figures that the source printed."""
    latency_ms = LATENCY_MS[runtime] if latency_ms is None else latency_ms
    info = {
        "study": "framework-comparison", "as_published": True, "model": "mlp", "runtime": runtime, "protocol": "paper",
        "precision": None, "threads": None, "status": "ok", "warnings": ["as published"], "cpu_utilization": 1.0,
        "as_published_latency_mean_s": latency_ms / 1e3, "as_published_cpu_percent_mean": CPU_PERCENT[runtime],
        "as_published_rss_mean_bytes": MEMORY_MB[runtime] * MIB, **changes,
    }  # fmt: skip
    return _row(f"test_as_published[{runtime}]", latency_ms, info)


def _row(name: str, latency_ms: float, info: dict[str, Any]) -> dict[str, Any]:
    seconds = latency_ms / 1e3
    spread = {"q1": seconds * 0.99, "q3": seconds * 1.01, "p99": seconds * 1.5}
    stats = {"median": seconds, "mean": seconds, "min": seconds, "max": seconds, "stddev": 0.0, "rounds": 100, **spread}
    fullname = f"benchmarks/test_framework_comparison.py::{name}"
    return {"name": name, "fullname": fullname, "stats": stats, "extra_info": info}


def run(*rows: dict[str, Any], unmeasured: Any = (), identity: str = "0123456789ab") -> dict[str, Any]:
    facts = {"cpu_model": "A CPU", "usable_cpus": 2}
    machine = {"fingerprint": facts, "fingerprint_id": identity}
    return {
        "benchmarks": list(rows), "unmeasured": list(unmeasured), "machine_info": machine,
        "datetime": "2026-11-21T12:00",
    }  # fmt: skip


def fair_run(**changes: Any) -> dict[str, Any]:
    return run(*(fair(name, latency_ms, **changes) for name, latency_ms in FAIR_MS.items()))


def paper_run() -> dict[str, Any]:
    return run(*map(as_published, NAMES))


def verdicts(*runs: dict[str, Any]) -> dict[str, str]:
    (group,) = groups_of(runs)
    return {finding.text: finding.judge(group.by_runtime).verdict for finding in FINDINGS}


def test_the_format_is_found_by_its_name() -> None:
    assert formats(ROOT)["framework-comparison"].attachments.__wrapped__ is attachments


def test_the_csv_has_the_sources_header_to_the_byte() -> None:
    (group,) = groups_of([fair_run()])
    lines = as_csv(group).decode().split("\n")
    assert lines[0] == HEADER
    assert [line.partition(",")[0] for line in lines[1:]] == [*NAMES.values(), ""]
    assert lines[5] == "OpenVINO,0.23,180,200,1,1,1"


def test_what_was_not_measured_is_an_empty_field_and_a_reason() -> None:
    reason = {
        "fullname": "benchmarks/test_framework_comparison.py::test_framework_comparison[mlp-jax-fp32-t2-b1000]",
        "status": "unsupported",
        "reason": "runtime jax needs jax; install with: pip install jax",
    }
    rows = [fair(name, value) for name, value in FAIR_MS.items() if name != "jax"]
    rows[0]["extra_info"]["rss_peak_bytes"] = None
    saved = run(*rows, unmeasured=[reason])
    (group,) = groups_of([saved])
    lines = list(csv.reader(io.StringIO(as_csv(group).decode())))
    assert lines[3] == ["JAX", "", "", "", "", "", ""]
    assert lines[1][3] == lines[1][6] == ""
    text = render([saved])
    assert "- JAX was not measured: runtime jax needs jax; install with: pip install jax" in text
    assert "- PyTorch: no memory in the row" in text
    assert "not measured (JAX: not measured)" in text


@given(st.dictionaries(st.sampled_from(list(NAMES)), st.floats(1e-6, 1e6), min_size=2))
def test_the_best_is_1_and_nobody_is_better(latencies_ms: dict[str, float]) -> None:
    (group,) = groups_of([run(*(fair(name, value, cpu_utilization=value) for name, value in latencies_ms.items()))])
    for column in COLUMNS:
        shares = relative(group.entries, column)
        assert set(shares) == set(latencies_ms)
        assert min(shares.values()) == 1.0
    (_, *lines) = csv.reader(io.StringIO(as_csv(group).decode()))
    assert len(lines) == len(NAMES)
    assert min(float(line[4]) for line in lines if line[4]) == 1.0


def test_one_row_alone_is_set_against_nothing() -> None:
    (group,) = groups_of([run(fair("openvino", 0.2))])
    assert [relative(group.entries, column) for column in COLUMNS] == [{}, {}, {}]
    text = render([run(fair("openvino", 0.2))])
    assert "To the best: nothing, with one value each; PyTorch was not measured, so nothing is set against it." in text
    assert "1.00" not in text.partition("## mlp")[2]


def test_the_best_and_the_base_are_named_with_what_disturbed_them() -> None:
    text = render([run(fair("openvino", 0.2, status="contended"), fair("pytorch", 0.4))])
    assert "To the best: latency of OpenVINO (contended), CPU use of" in text
    assert "; to PyTorch: its row here." in text


def test_the_sources_own_figures_bear_out_every_finding_but_what_is_within_the_margin() -> None:
    found = verdicts(paper_run())
    close = {"PyTorch needs the least memory", "OpenVINO needs the most memory"}
    assert {text for text, verdict in found.items() if verdict == "undecided"} == close
    assert {verdict for text, verdict in found.items() if text not in close} == {"holds"}


def test_compared_alike_the_ranking_reverses() -> None:
    found = verdicts(fair_run())
    assert found["PyTorch is the fastest"] == "reverses"
    assert found["OpenVINO is the slowest"] == "reverses"
    assert found["OpenVINO against PyTorch: latency"] == "reverses"
    assert found["TensorFlow against PyTorch: latency"] == "no longer so large"
    assert found["TensorFlow against JAX: latency"] == "holds"
    assert found["JAX needs the most CPU time"] == "undecided"
    assert found["All five need about the same memory"] == "holds"


def test_both_runs_together_are_one_table_with_both_values() -> None:
    text = render([fair_run(), paper_run()])
    (line,) = [line for line in text.splitlines() if line.startswith("| PyTorch is the fastest |")]
    assert [cell.strip() for cell in line.strip("|").split("|")[1:]] == [
        "1.26 ms", "holds: PyTorch 1.26 ms; JAX 3.15 ms", "PyTorch 0.54 ms; OpenVINO 0.23 ms", "reverses",
    ]  # fmt: skip
    assert "| OpenVINO against PyTorch: latency | 115× | holds: 115× | 0.43× | reverses |" in text
    assert "Compared alike (mlp, fp32, batch 1000, 2 threads), 15 findings; " in text
    assert "## mlp, as published (1000 items a run, default threads)" in text


def entries(**latencies: tuple[float, float, float]) -> dict[str, Entry]:
    return {
        name: Entry(name, status="ok", latency_s=Value(*(ms / 1e3 for ms in values)), cpu_percent=Value(*values))
        for name, values in latencies.items()
    }


@pytest.mark.parametrize(
    ("pytorch", "openvino", "verdict"),
    [
        ((1, 1, 1), (115, 110, 120), "holds"),
        ((1, 1, 1), (2, 1.9, 2.1), "no longer so large"),
        ((1, 1, 1), (1.1, 0.9, 1.2), "no longer so large"),
        ((1, 1, 1), (1.01, 1.01, 1.01), "no longer so large"),
        ((1, 0.5, 1), (30, 0.9, 90), "undecided"),
        ((1, 0.9, 1.1), (0.5, 0.4, 0.6), "reverses"),
    ],
)
def test_a_ratio_counts_only_beyond_the_spread(
    pytorch: tuple[float, ...], openvino: tuple[float, ...], verdict: str
) -> None:
    assert ratio("latency", "openvino", "pytorch").judge(entries(pytorch=pytorch, openvino=openvino)).verdict == verdict


def test_one_clearly_better_rival_is_enough_against_an_extreme_and_all_are_needed_for_it() -> None:
    fastest = extreme("latency", "pytorch", most=False)
    assert fastest.judge(entries(pytorch=(2, 2, 2), jax=(1, 1, 1))).verdict == "reverses"
    alone = fastest.judge(entries(pytorch=(1, 1, 1), jax=(2, 2, 2)))
    assert (alone.verdict, alone.reason) == ("not measured", "TensorFlow: not measured")
    everyone = entries(**dict.fromkeys(NAMES, (2.0, 2.0, 2.0))) | entries(pytorch=(1, 1, 1))
    assert fastest.judge(everyone).verdict == "holds"


def test_contended_rows_decide_no_times_but_memory() -> None:
    rows = [fair(name, value) for name, value in FAIR_MS.items()]
    rows[4]["extra_info"]["status"] = "contended"
    saved = run(*rows)
    (group,) = groups_of([saved])
    judged = extreme("latency", "openvino", most=True).judge(group.by_runtime)
    assert (judged.verdict, judged.reason) == ("not measured", "OpenVINO: contended")
    assert alike("memory", tuple(NAMES)).judge(group.by_runtime).verdict == "holds"
    assert "| OpenVINO | 0.23 | 0.2277 to 0.2323 | 0.23 | 0.345 | 1.00 | 0.43 | contended |" in render([saved])


def test_a_quiet_row_of_the_same_cell_replaces_a_contended_one() -> None:
    contended = run(*(fair(name, value * 9, status="contended") for name, value in FAIR_MS.items()))
    (group,) = groups_of([contended, fair_run()])
    assert {entry.status for entry in group.entries} == {"ok"}
    assert group.by_runtime["openvino"].latency_s == Value(0.23e-3, 0.23e-3 * 0.99, 0.23e-3 * 1.01)


def test_the_headline_is_the_large_batch_on_all_usable_cpus() -> None:
    cells = [(1, 1), (1, 1000), (2, 1), (2, 1000), (3, 1000)]
    rows = [fair("jax", 1.0, threads=threads, batch_size=batch) for threads, batch in cells]
    groups = groups_of([run(*rows, as_published("jax"), fair("jax", 5.0, model="resnet50", batch_size=4000))])
    chosen = headline(groups, usable_cpus=2)
    assert chosen.key.label == "mlp, fp32, batch 1000, 2 threads"
    named = suffixes(groups, chosen)
    assert set(named) == {"", "-b1000-t1", "-b1000-t3", "-b1-t1", "-b1-t2", "-as-published", "-resnet50-b4000-t2"}
    (only,) = groups_of([paper_run()])
    assert headline([only], 2) is only


def test_groups_of_the_same_name_and_other_weights_get_files_of_their_own() -> None:
    rows = [fair("jax", 1.0, model_sha256=digit * 64) for digit in "abc"]
    groups = groups_of([run(*rows)])
    assert len(groups) == len(suffixes(groups, groups[0])) == 3


def test_the_picture_is_a_png_with_three_panels() -> None:
    files = attachments([fair_run(), paper_run()])
    assert set(files) == {".csv", ".png", "-as-published.csv", "-as-published.png"}
    assert all(files[name].startswith(PNG) for name in files if name.endswith(".png"))
    (group, published) = groups_of([fair_run(status="contended"), paper_run()])
    drawn = picture.figure(group, ["one fact"])
    assert [axis.get_xscale() for axis in drawn.axes] == ["linear"] * 3
    assert [axis.get_xscale() for axis in picture.figure(published, []).axes] == ["log", "linear", "linear"]
    labels = [text.get_text() for text in drawn.axes[0].texts]
    assert labels[-1] == "0.23 ms (contended)"


def test_without_matplotlib_the_text_is_there_and_the_picture_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "reverses" in render([fair_run()])
    with pytest.raises(TailgateError, match=r"^pictures need matplotlib, .* pip install 'matplotlib>=3.8'; or leave"):
        attachments([fair_run()])


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([run(fair("jax", 1.0, study="cpu-scaling"))], "no row of study 2 in these runs; measure some with: pytest"),
        ([fair_run(), run(as_published("jax"), identity="other")], "from different machines .0123456789ab, other."),
    ],
)
def test_runs_it_cannot_express_are_refused_with_one_line(runs: Any, said: str) -> None:
    with pytest.raises(TailgateError, match=said) as refused:
        render(runs)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [None, "many", True, float("nan"), [], {}])
@pytest.mark.parametrize("field", ["rss_peak_bytes", "cpu_utilization", "threads", "warnings", "image_size", "load_s"])
def test_a_strange_value_is_a_missing_one(field: str, value: Any) -> None:
    saved = run(fair("jax", 1.0, **{field: value}), fair("pytorch", 2.0))
    assert "JAX" in render([saved])


def test_markup_in_a_saved_run_stays_text() -> None:
    saved = run(fair("jax", 1.0, status="<b>|`", warnings=["<script>|x|\n# heading"], model="mlp"))
    text = render([saved])
    assert "<b>" not in text
    assert "<script>" not in text
    assert "\n# heading" not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rss_peak_bytes: 3 (limit 0.5)", "rss_peak_bytes: 3 (limit 0.5)"),
        ("_em_ and *strong*", "&#95;em&#95; and &#42;strong&#42;"),
        ("a | b", "a &#124; b"),
        ("http://x", "http&#58;//x"),
        ("a\\b `c` <d> [e] @f", "a\\b &#96;c&#96; &#60;d> [e] &#64;&#8203;f"),
        ("[e](f) 3 < 4 [1:2] x @ 2.80GHz", "&#91;e&#93;(f) 3 < 4 [1:2] x @ 2.80GHz"),
    ],
)
def test_only_what_would_be_markup_is_escaped(text: str, shown: str) -> None:
    assert words(text) == shown
