"""Open sessions of a framework that fixes its pools once a process: in a process of their own."""

import json
from dataclasses import dataclass
from typing import Any

from suite import printed, python

SCRIPT = """
import json, sys
from pathlib import Path
from fixtures.inference.fixture import check
from fixtures.models import models
from fixtures.precisions import verdict
from fixtures.runtimes import UnsupportedError, runtimes
from fixtures.inference import startup
from fixtures.inference.threads import settled_busy_threads
from fixtures.workloads.workload import Workload

name, cells, threads, watched = json.loads(sys.argv[1])
runtime = runtimes()[name]
found = {"begin": startup.begin(runtime, threads), "cells": {}}
for model, size, batch in cells:
    workload = Workload(models()[model], size, "random")
    runtime.artifact(workload, "fp32", batch)
    with runtime.load(workload, "fp32", "cpu", threads, batch) as session:
        first_call_s, answers = check(session, workload, batch)
        prepared = session.prepare(workload.check_inputs(batch))
        seen = settled_busy_threads(lambda: session.run(prepared), threads)
        found["cells"][f"{model}-b{batch}"] = {
            "kept": verdict("fp32", answers, workload.weights().facts["rounding_error_rel"])[0],
            "described": session.describe(), "first_call_s": first_call_s, "compile_s": session.compile_s,
            "seen": seen,
        }
try:
    runtime.load(workload, "fp32", "cpu", threads + 1, batch).close()
    found["other_threads"] = "loaded"
except UnsupportedError as error:
    found["other_threads"] = str(error)
found["again"] = startup.begin(runtime, threads)
found["imported"] = [module for module in watched if module in sys.modules]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Sessions:
    """What came of them."""

    begin: dict[str, Any]
    cells: dict[str, dict[str, Any]]
    other_threads: str
    again: dict[str, Any]
    imported: list[str]
    stderr: str


def make_onnx(cells: list[tuple[str, int, int]]) -> None:
    """Weights and ONNX files, in a process of their own: they need torch, which a session does not."""
    make = "import sys, json\nfrom fixtures.models import models\nfrom fixtures.workloads.workload import Workload\n"
    make += "for model, size, _ in json.loads(sys.argv[1]): Workload(models()[model], size, 'random').onnx('fp32')"
    printed(make, json.dumps(cells))


def sessions(runtime: str, cells: list[tuple[str, int, int]], threads: int, watched: list[str]) -> Sessions:
    """``cells``: model, image size, batch; ``watched``: modules that would be told if they were imported."""
    done = python(SCRIPT, json.dumps([runtime, cells, threads, watched]))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    return Sessions(
        found["begin"], found["cells"], found["other_threads"], found["again"], found["imported"], done.stderr
    )
