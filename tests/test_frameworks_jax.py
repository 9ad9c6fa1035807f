"""JAX on small real models: the right answer, one pool of the size asked for, and nothing else in the process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from framework_sessions import Sessions, make_onnx, python, sessions
from suite import ROOT

from fixtures.runtimes import jax, runtimes

CELLS = [("mlp", 224, 2), ("resnet18", 64, 2)]
NAMES = ["mlp-b2", "resnet18-b2"]


@pytest.fixture(scope="module")
def found() -> Sessions:
    make_onnx(CELLS)
    return sessions("jax", CELLS, 1, ["torch", "torchax", "tensorflow"])


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_as_pytorch_does(found: Sessions, name: str) -> None:
    cell = found.cells[name]
    assert cell["kept"]
    assert cell["described"]["precision_compiled"] == "fp32"
    assert cell["compile_s"] > 0
    assert cell["first_call_s"] > 0


@pytest.mark.parametrize("name", NAMES)
def test_one_thread_is_one_thread(found: Sessions, name: str) -> None:
    assert found.cells[name]["described"]["threads_set"] == 1
    assert found.cells[name]["seen"] in (0, 1, None)


def test_another_thread_count_in_the_same_process_is_refused(found: Sessions) -> None:
    assert found.other_threads == ("XLA's pool has 1 threads where 2 were asked for: it is made once a process")


def test_import_is_measured_where_it_happens(found: Sessions) -> None:
    assert found.begin["import_s"] > 0
    assert found.begin["rss_import_bytes"] > 1e6
    assert found.begin["startup_missing"] == []
    assert (found.again["import_s"], found.again["rss_import_bytes"]) == (None, None)
    assert [reason.split(":")[0] for reason in found.again["startup_missing"]] == ["import_s", "rss_import_bytes"]


def test_neither_torch_nor_torchax_is_in_the_process_that_measures(found: Sessions) -> None:
    assert found.imported == []


def test_more_threads_than_cpus() -> None:
    done = python("""
import os
from fixtures.runtimes import jax
jax.RUNTIME.start(len(os.sched_getaffinity(0)) + 3)
print(jax.pool_threads() - len(os.sched_getaffinity(0)), jax.POOL_SIZE in os.environ)
""")
    assert done.stdout.split() == ["3", "False"], done.stderr


def test_a_torchax_that_does_not_import_is_a_reason() -> None:
    """In a process of its own: torch forgets the declarations with their list, and crashes when it looks for them."""
    script = (
        "import sys\n"
        "sys.modules['torchax'] = None\n"
        "from fixtures.runtimes._convert import torchax\n"
        "from fixtures.unsupported import UnsupportedError\n"
        "try: torchax.import_torchax()\n"
        "except UnsupportedError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"torchax does not import with torch 2\.[^\n]*lock.txt names\n", done.stdout)


BF16_PROGRAM = """
  %param_0 = bf16[2,3]{1,0} parameter(0)
  %param_1 = bf16[4,3]{1,0} parameter(1)
  %convert.1 = f32[2,3]{1,0} convert(%param_0)
  %convert.2 = f32[4,3]{1,0} convert(%param_1)
"""


@pytest.mark.parametrize(
    ("product", "compiled"),
    [
        ("  ROOT %dot.1 = f32[2,4]{1,0} dot(%convert.1, %convert.2), lhs_contracting_dims={1}", "fp32"),
        ("  ROOT %dot.1 = bf16[2,4]{1,0} dot(%param_0, %param_1), lhs_contracting_dims={1}", "bf16"),
        ("  %c.5 = f32[2,4]{1,0} convolution(%param_0, %param_1), window={size=1x1}", "bf16"),
        ("  %add.1 = bf16[2,3]{1,0} add(%param_0, %param_0)", None),
    ],
)
def test_the_precision_is_that_of_the_operands_in_the_compiled_program(product: str, compiled: str | None) -> None:
    assert jax.compiled_precision(BF16_PROGRAM + product) == compiled


def test_threads_of_the_pool_are_told_by_their_name(tmp_path: Path) -> None:
    for number, name in enumerate(["python", "tf_XLAEigen", "tf_XLAEigen", "tf_Compute"]):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "comm").write_text(f"{name}\n")
    (tmp_path / "ended").mkdir()
    assert jax.pool_threads(tmp_path) == 2


@pytest.mark.parametrize(
    ("flags", "precision", "reason"),
    [
        (set(), "bf16", "this CPU has no bfloat16 instructions; XLA would convert and compute in fp32"),
        ({"amx_bf16"}, "bf16", None),
        (set(), "fp16", "this CPU has no float16 instructions; XLA would convert and compute in fp32"),
        (set(), "int8", "JAX has no quantiser; int8 runs on onnxruntime and openvino"),
        (set(), "tf32", "tf32 is not a precision of a CPU"),
        (set(), "fp32", None),
    ],
)
def test_what_it_can_compute(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], precision: str, reason: str | None
) -> None:
    monkeypatch.setattr(jax, "cpu_flags", lambda: frozenset(flags))
    assert runtimes()["jax"].supports("cpu", precision) == reason
