"""The fork servers that frameworks are imported into have never run a model nor started a pool of threads."""

import json
import os
import subprocess
import sys

import pytest

from fixtures.runtimes import runtimes

pytestmark = pytest.mark.end_to_end

# What each test finds: its fork server's threads (all of them waiting), its own before the framework ran and after.
PROJECT = """
import json, os, sys, threading
from pathlib import Path
import pytest

KEPT = []  # a session's threads end with it

def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))

def compute_torch():
    import torch
    torch.set_num_threads(2)
    x = torch.randn(4, 8, 64, 64)
    with torch.inference_mode():
        return torch.nn.functional.conv2d(x, torch.randn(8, 8, 3, 3)).sum()

def compute_jax():
    import jax
    x = jax.numpy.ones((256, 256))
    return (x @ x).block_until_ready()

def compute_tensorflow():
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(2)
    x = tf.ones((256, 256))
    return tf.function(lambda x: x @ x)(x).numpy()

def compute_onnx(engine):
    import numpy as np, onnx
    from onnx import TensorProto as T, helper
    make = helper.make_tensor_value_info
    node = helper.make_node("MatMul", ["x", "x"], ["y"])
    graph = helper.make_graph([node], "g", [make("x", T.FLOAT, [256, 256])], [make("y", T.FLOAT, [256, 256])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    x = np.ones((256, 256), np.float32)
    if engine == "onnxruntime":
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        KEPT.append(session)
        return session.run(None, {"x": x})
    import openvino
    core = openvino.Core()
    KEPT.append(core.compile_model(core.read_model(model.SerializeToString()), "CPU", {"INFERENCE_NUM_THREADS": 2}))
    return KEPT[-1]([x])

CASES = [pytest.param(name, marks=pytest.mark.preload(*modules)) for name, modules in ENGINES]

@pytest.mark.parametrize("engine", CASES)
@pytest.mark.parametrize("turn", [1, 2])
def test_engine(benchmark, engine, turn):
    fork_server = os.getppid()
    benchmark.extra_info.update(
        fork_server=fork_server,
        template_threads=threads(fork_server),
        template_busy_ns=sum(
            int((task / "schedstat").read_text().split()[0])
            for task in Path(f"/proc/{fork_server}/task").iterdir() if task.name != str(fork_server)
        ),
        own_threads_before=threads(os.getpid()),
        own_python_threads_before=threading.active_count(),
        imported=[name for name in ("torch", "onnxruntime", "openvino", "jax", "tensorflow") if name in sys.modules],
    )
    own = {"pytorch": compute_torch, "jax": compute_jax, "tensorflow": compute_tensorflow}
    compute = own.get(engine, lambda: compute_onnx(engine))
    benchmark.pedantic(compute, rounds=3)
    benchmark.extra_info["own_threads_after"] = threads(os.getpid())
"""
ENGINES = ("pytorch", "onnxruntime", "openvino", "jax", "tensorflow")
WAITING_THREADS = 3
"""Importing numpy starts OpenBLAS's (one fewer than the CPUs), importing onnxruntime or openvino one each."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    folder = tmp_path_factory.mktemp("frameworks")
    engines = [(name, runtimes()[name].preload) for name in ENGINES]
    (folder / "test_engines.py").write_text(f"ENGINES = {engines!r}\n{PROJECT}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--isolation=process", "--start-method=fork",
         "--benchmark-timeout=60", "--benchmark-json=run.json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "new interpreter" not in done.stdout, "forking from these fork servers is safe"
    rows = json.loads((folder / "run.json").read_text())["benchmarks"]
    return {name: [row["extra_info"] for row in rows if row["params"]["engine"] == name] for name in ENGINES}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_template_has_only_threads_that_wait(found: dict[str, list[dict]], engine: str) -> None:
    for info in found[engine]:
        assert info["template_threads"] <= WAITING_THREADS + max(0, (os.cpu_count() or 1) - 2)
        assert info["template_busy_ns"] < 0.3e9, "they have not computed"


@pytest.mark.parametrize("engine", ENGINES)
def test_every_benchmark_begins_with_one_thread_and_starts_its_own_pool(
    found: dict[str, list[dict]], engine: str
) -> None:
    first, second = found[engine]
    for info in (first, second):
        assert (info["own_threads_before"], info["own_python_threads_before"]) == (1, 1)
        assert info["own_threads_after"] > 1
    assert first["template_threads"] == second["template_threads"], "what a benchmark starts is not the fork server's"
    assert first["fork_server"] == second["fork_server"]


def test_no_benchmark_holds_the_framework_of_another(found: dict[str, list[dict]]) -> None:
    assert {engine: infos[0]["imported"] for engine, infos in found.items()} == {
        "pytorch": ["torch"], "onnxruntime": ["onnxruntime"], "openvino": ["openvino"], "jax": ["jax"],
        "tensorflow": ["jax", "tensorflow"],  # it imports JAX by itself
    }  # fmt: skip


def test_an_array_of_jax_made_at_import_is_no_hang(tmp_path):
    (tmp_path / "test_array.py").write_text(
        "import jax.numpy as jnp\n\nX = jnp.ones((64, 64))\n\n"
        "def test_product(benchmark):\n    benchmark.pedantic(lambda: (X @ X).block_until_ready(), rounds=3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--isolation=process", "--benchmark-timeout=120"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "Each benchmark started a new interpreter, because threads have been started that would be missing after a "
        "fork (libjax_common)." in " ".join(done.stdout.split())
    )
