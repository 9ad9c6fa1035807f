"""Study 2: which cells run under which protocol, and the source's own way of measuring, really run."""

import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from suite import Outcome, suite

from fixtures.cells.matrix import Grid, cells, grid_of
from fixtures.cells.protocol_marks import belongs
from fixtures.framework_comparison import as_published
from fixtures.framework_comparison.as_published import BenchmarkModel
from fixtures.framework_comparison.fixture import inapplicable
from fixtures.options import SuiteOptions
from tailgate.errors import TailgateError

pytestmark = pytest.mark.end_to_end

SIX = ("pytorch", "pytorch-compile", "tensorflow", "jax", "onnxruntime", "openvino")
FILE = "framework_comparison"
NOTHING_ASKED = SuiteOptions(None, None, None, None, None, 224, "random")


def collected(*arguments: str) -> tuple[list[str], Outcome]:
    outcome = suite("-k", FILE, "--collect-only", "-q", *arguments)
    return [line.partition("::")[2] for line in outcome.text.splitlines() if "::" in line], outcome


def test_by_default_six_runtimes_are_compared_alike() -> None:
    names, outcome = collected("--threads=1,2")
    expected = [
        f"test_framework_comparison[mlp-{runtime}-fp32-t{threads}-b{batch}]"
        for batch in (1, 1000)
        for threads in (1, 2)
        for runtime in SIX
    ]
    assert names == expected
    assert outcome.lines("^Left out: 5 x test_as_published, the study as published, only with --protocol=paper")


def test_protocol_paper_is_the_source_and_nothing_else() -> None:
    names, outcome = collected("--protocol=paper")
    assert names == [
        f"test_as_published[{name}]" for name in ("pytorch", "tensorflow", "jax", "onnxruntime", "openvino")
    ]
    assert outcome.lines(r"^Left out: \d+ x test_framework_comparison, which is compared alike; --protocol=paper is ")


def test_image_models_go_through_the_same_test() -> None:
    names, _ = collected("--models=resnet50,vit_b_16", "--batch-sizes=1", "--threads=1", "--runtimes=pytorch,openvino")
    assert names == [
        f"test_framework_comparison[{model}-{runtime}-fp32-t1-b1]"
        for model in ("resnet50", "vit_b_16")
        for runtime in ("pytorch", "openvino")
    ]


def test_asking_for_the_other_protocols_test_by_name_says_why_there_is_none() -> None:
    outcome = suite("-k", "as_published")
    assert outcome.code == 5
    assert outcome.lines("^Left out: 5 x test_as_published, .*only with --protocol=paper")
    assert not outcome.lines("matches none of the")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"models": ("mlp", "resnet50")}, None),
        ({"models": ("resnet50",)}, "no other model than mlp"),
        ({"threads": (1,)}, "leave out --threads"),
        ({"batch_sizes": (1,)}, "leave out --batch-sizes"),
    ],
)
def test_what_the_source_cannot_be_asked_has_a_reason(changes: dict[str, Any], said: str | None) -> None:
    reason = inapplicable(SuiteOptions(**{**vars(NOTHING_ASKED), **changes}))
    assert reason is None if said is None else said in str(reason)


def marker(**kwargs: Any) -> Any:
    return pytest.mark.protocols(**kwargs).mark


@pytest.mark.parametrize(
    ("kwargs", "protocol", "runs"),
    [
        ({"only": ["paper"]}, "paper", True),
        ({"only": ["paper"]}, "quick", False),
        ({"only": ["paper"]}, None, False),
        ({"never": ["paper"]}, "paper", False),
        ({"never": ["paper"]}, "adaptive", True),
        ({"never": ["paper"]}, None, True),
    ],
)
def test_a_benchmark_belongs_to_the_protocols_it_names(kwargs: Any, protocol: str | None, runs: bool) -> None:
    assert belongs(marker(**kwargs, reason="r"), protocol) is runs
    assert belongs(None, protocol)


@pytest.mark.parametrize(
    "kwargs",
    [{"only": ["paper"]}, {"reason": "r"}, {"only": ["papr"], "reason": "r"}, {"only": [], "never": [], "reason": "r"}],
)
def test_a_misspelt_marker_is_refused(kwargs: Any) -> None:
    with pytest.raises(TailgateError, match=r"^protocols marker: "):
        belongs(marker(**kwargs), "quick")


def test_a_study_may_import_each_framework_in_the_cells_own_process() -> None:
    grid = Grid(("mlp",), ("pytorch",), ("fp32",), (1,), (1,))
    (own,) = cells(grid, 224, preload=False)
    assert list(own.marks) == []
    axes = {"models": ["mlp"], "runtimes": ["pytorch"], "precisions": ["fp32"], "threads": [1], "batch_sizes": [1]}
    assert grid_of(pytest.mark.study(name="s", preload=False, **axes).mark, None) == grid


def test_the_sources_average_is_the_whole_loops_time_over_the_runs() -> None:
    loop = BenchmarkModel(lambda _: sum(range(2000)))
    for _ in range(5):
        loop(None)
    found = loop.averages()
    assert found["as_published_latency_mean_s"] == pytest.approx((loop.end_s - loop.start_s) / 5)
    assert found["as_published_call_mean_s"] <= found["as_published_latency_mean_s"]
    assert len(loop.cpu_percent) == len(loop.rss_bytes) == 5
    assert loop.cpu_percent[0] == 0.0  # psutil's first answer, which the source averaged, too
    assert found["as_published_rss_mean_bytes"] == np.mean(loop.rss_bytes)


def test_a_framework_that_is_not_installed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnx" else found(name))
    assert as_published.missing("openvino") == "openvino as published needs onnx; install with: pip install onnx"
    assert as_published.missing("pytorch") is None


def test_the_sources_calls_are_single_where_it_made_single_ones(tmp_path: Path) -> None:
    batch = np.ones((3, 200), np.float32)
    for make, calls in ((as_published._onnxruntime, 1000), (as_published._openvino, 1000), (as_published._pytorch, 1)):
        if calls > 1 and not (tmp_path / "model.onnx").exists():
            as_published._pytorch(tmp_path)
        model = make(tmp_path)
        model.predict(batch)
        assert model.calls_per_run == calls
    assert model.precision_compiled == "fp32"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    file = tmp_path_factory.mktemp("paper") / "run.json"
    outcome = suite(
        "--protocol=paper", "--runtimes=pytorch,onnxruntime", "--rounds=3", "--isolation=none", "-k", FILE,
        f"--benchmark-json={file}",
    )  # fmt: skip
    assert outcome.code == 0, outcome.text
    return {row["name"]: row for row in json.loads(file.read_text())["benchmarks"]}


def test_rows_as_published_cannot_be_taken_for_others(rows: dict[str, dict[str, Any]]) -> None:
    assert list(rows) == ["test_as_published[pytorch]", "test_as_published[onnxruntime]"]
    for row in rows.values():
        info = row["extra_info"]
        assert (info["study"], info["protocol"], info["as_published"]) == ("framework-comparison", "paper", True)
        assert (info["precision"], info["threads"]) == (None, None)
        assert any("nothing was checked" in text for text in info["warnings"])
        assert row["stats"]["rounds"] == 3
        assert info["warmup_rounds"] == 0
    calls = Counter({name: row["extra_info"]["calls_per_run"] for name, row in rows.items()})
    assert calls == {"test_as_published[pytorch]": 1, "test_as_published[onnxruntime]": 1000}


def test_the_sources_numbers_are_there(rows: dict[str, dict[str, Any]]) -> None:
    for row in rows.values():
        info, stats = row["extra_info"], row["stats"]
        assert info["as_published_latency_mean_s"] >= stats["mean"] * 0.99  # the loop around the runs is in it
        assert info["as_published_call_mean_s"] < stats["mean"]
        assert info["as_published_cpu_percent_mean"] >= 0
        assert 0 < info["as_published_rss_mean_bytes"] <= info["rss_peak_bytes"]
