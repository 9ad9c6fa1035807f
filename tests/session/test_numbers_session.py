"""A foreign project whose tests note numpy's numbers and whatever else: judged, saved and read again as plain ones."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from foreign import run_all
from histories import FILES, TIMER, project, series

from tailgate.gates.saved.sessions import read
from tailgate.results.saved_run import load_run

FACTS = {"batch_size": 1, "items_per_call": 8, "data": [1, 2], "classes": ["a", "b"], "threads": 1, "weights": "w"}
NAMES = ("test_it.py::test_one", "test_it.py::test_marked", "test_it.py::test_object")
TESTS = (
    FILES["test_it.py"].partition("def test_one")[0]
    + """
import decimal
import numpy as np

FACTS = dict(batch_size=np.int64(1), items_per_call=np.int64(8), data=(1, np.float64(2)), classes={"b", "a"},
             threads=np.array(1), weights=np.str_("w"))

def test_one(call, benchmark):
    benchmark.extra_info.update(FACTS)
    call()
    assert benchmark.extra_info["data"] == (1, 2)

@pytest.mark.throughput(items=np.int64(8))
def test_marked(call, benchmark):
    benchmark.extra_info.update({**FACTS, "items_per_call": None})
    call()

def test_object(call, benchmark):
    benchmark.extra_info.update({**FACTS, "weights": object()})
    call()
"""
)
ODD = """
import clock
import numpy as np
import pytest

def advance():
    clock.seconds += 1e-3

@pytest.mark.parametrize("items", [float("nan"), float("inf"), 0, -1, True, "8", np.bool_(True)], ids=str)
def test_items(benchmark, items):
    benchmark.extra_info["items_per_call"] = items
    benchmark.pedantic(advance, rounds=5)

@pytest.mark.parametrize("info", [None, [1], "text", np.arange(3), {("a", 1): np.eye(2), 2: {3, 1}}], ids=repr)
def test_info(benchmark, info):
    benchmark.extra_info = info
    benchmark.pedantic(advance, rounds=5)

def test_fine(benchmark):
    benchmark.extra_info["error"] = float("inf")
    benchmark.pedantic(advance, rounds=5)

@pytest.mark.throughput(items=float("nan"))
def test_marked(benchmark):
    benchmark.pedantic(advance, rounds=5)
"""
WAYS = {"here": (), "isolated": ("--isolation=process",)}
FACTORS = SAME, SLOWER = "--factor=1", "--factor=2.5"
Ran = tuple[Path, dict[tuple[str, str, str], Any]]
"""The project, and exit code and output by history, factor and way."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = project(tmp_path_factory.mktemp("numbers"))
    (folder / "test_it.py").write_text(TESTS)
    (folder / "test_odd.py").write_text(ODD)
    series(folder, "json", names=NAMES[:2], **FACTS)
    series(folder, "object", names=NAMES[2:], **{**FACTS, "weights": "UNSERIALIZABLE[<object object at 0x7f0123>]"})
    older = {"batch_size": "UNSERIALIZABLE[np.int64(1)]", "items_per_call": "UNSERIALIZABLE[np.int64(8)]"}
    series(folder, "older", names=NAMES[:1], **older)
    series(folder, "other", names=NAMES[:1], **{**FACTS, "batch_size": 8})
    told = {"json": "one or marked", "object": "object", "older": "one", "other": "one"}
    sessions = {}
    for (word, keyword), factor, (name, way) in itertools.product(told.items(), FACTORS, WAYS.items()):
        chosen = ("test_it.py", "-k", keyword, *TIMER, factor, *way)
        sessions[word, factor, name] = (*chosen, "--gate", f"--benchmark-compare={word}")
    for name, way in WAYS.items():
        sessions["saved", "", name] = ("test_odd.py", *TIMER, f"--benchmark-json={name}.json", *way)
    found = run_all(folder, *sessions.values())
    return folder, {name: found[arguments] for name, arguments in sessions.items()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("word", ["json", "object", "older"])
def test_slower_code_fails_whatever_numbers_its_facts_are(ran: Ran, word: str, way: str) -> None:
    code, out = ran[1][word, SLOWER, way]
    assert code == 1
    assert "+150.0 %" in out
    assert "incomparable" not in out
    code, out = ran[1][word, SAME, way]
    assert (code, "incomparable" in out) == (0, False)


@pytest.mark.parametrize("way", WAYS)
def test_other_work_is_still_other_work(ran: Ran, way: str) -> None:
    code, out = ran[1]["other", SAME, way]
    assert code == 1
    assert "another workload: batch_size 8 there, 1 here" in out


@pytest.mark.parametrize("name", WAYS)
def test_the_saved_run_is_read_again_whatever_its_tests_noted(ran: Ran, name: str) -> None:
    folder, sessions = ran
    code, out = sessions["saved", "", name]
    assert code == 1
    assert "INTERNALERROR" not in out
    assert out.count("throughput(items=nan) must be a positive number") >= 1
    text = (folder / f"{name}.json").read_text()
    json.loads(text, parse_constant=pytest.fail)
    rows = {bench["name"]: bench for bench in load_run(folder / f"{name}.json")["benchmarks"]}
    assert len(rows) == 13
    for row, bench in rows.items():
        if row.startswith("test_items"):
            assert bench["stats"]["throughput"] is None, row
            assert [one for one in bench["extra_info"]["warnings"] if one.startswith("items_per_call is ")], row
        else:
            assert bench["stats"]["throughput"] == pytest.approx(1000, rel=0.01), row
    infos = [bench["extra_info"] for row, bench in rows.items() if row.startswith("test_info")]
    own = [{key: info[key] for key in ("extra_info", "('a', 1)", "2") if key in info} for info in infos]
    arrays = {"('a', 1)": [[1.0, 0.0], [0.0, 1.0]], "2": [1, 3]}
    assert own == [{}, {"extra_info": [1]}, {"extra_info": "text"}, {"extra_info": [0, 1, 2]}, arrays]
    fine = rows["test_fine"]["extra_info"]
    assert fine["error"] is None
    assert "error: JSON has no form for inf, so null is in its place" in fine["warnings"]
    assert read(folder / f"{name}.json").samples
