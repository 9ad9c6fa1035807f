"""What is measured for the roofs: sizes that lie in their level, the quickest of kernels, rows with their peaks."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import suite

from fixtures.roofline import engines, gemm
from fixtures.roofline.caches import Cache, caches
from fixtures.roofline.triad import MEMORY, NoTriadError, cpu_triad, cuda_plan, level_names, plan
from tailgate.machine.cpus import affinity_cpus

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SERVER = [Cache(1, 32 * KIB, 2, 8), Cache(2, 1 * MIB, 2, 8), Cache(3, 32 * MIB, 16, 1)]


def sysfs(folder: Path, *, hidden: bool = False) -> Path:
    """Two cores of two threads each, a first-level cache a core, a third-level one for all."""
    for cpu in range(4):
        core = f"{cpu % 2},{cpu % 2 + 2}"
        for index, (level, kind, size, shared) in enumerate(
            [(1, "Data", "32K", core), (1, "Instruction", "64K", core), (3, "Unified", "8M", "0-3")]
        ):
            place = folder / f"cpu{cpu}" / "cache" / f"index{index}"
            place.mkdir(parents=True)
            files = {"level": level, "type": kind, "size": size, "shared_cpu_list": shared}
            for name, value in files.items():
                if not (hidden and name == "size"):
                    (place / name).write_text(f"{value}\n")
    return folder


def test_caches_are_counted_among_the_usable_cpus_alone(tmp_path):
    sysfs(tmp_path)
    assert caches(tmp_path, range(4)) == [Cache(1, 32 * KIB, 2, 2), Cache(3, 8 * MIB, 4, 1)]
    assert caches(tmp_path, [0, 1]) == [Cache(1, 32 * KIB, 1, 2), Cache(3, 8 * MIB, 2, 1)]
    assert caches(tmp_path / "none", [0]) == []


def test_a_kernel_that_hides_sizes_leaves_memory_alone_without_a_bound(tmp_path):
    found = caches(sysfs(tmp_path, hidden=True), [0])
    assert found == []
    assert level_names(found) == [MEMORY]
    chosen = plan(MEMORY, found, 1, 64 * GIB)
    assert (chosen.array_bytes, chosen.inner_bytes) == (256 * MIB, None)


def test_what_threads_share_they_have_once_at_least_and_apart_at_most():
    first = Cache(1, 32 * KIB, shared_by=2, instances=8)
    assert [first.least_bytes(count) // KIB for count in (1, 2, 3, 16, 64)] == [32, 32, 64, 256, 256]
    assert [first.most_bytes(count) // KIB for count in (1, 2, 3, 16, 64)] == [32, 64, 96, 256, 256]


cache_lists = st.tuples(
    st.sampled_from([16, 32, 48, 192]), st.integers(1, 2), st.integers(2, 64), st.integers(2, 64), st.integers(1, 8)
)


@given(cache_lists, st.integers(1, 32))
def test_arrays_fit_their_level_and_nothing_inside_it(sizes, threads):
    kib, shared, second, third, sockets = sizes
    found = [
        Cache(1, kib * KIB, shared, 16 * sockets), Cache(2, second * kib * KIB, shared, 16 * sockets),
        Cache(3, third * second * kib * KIB, 16, sockets),
    ]  # fmt: skip
    for index, cache in enumerate(found):
        chosen = plan(cache.name, found, threads, GIB)
        inner = sum(one.most_bytes(threads) for one in found[:index])
        assert chosen.inner_bytes == inner
        if chosen.array_bytes is None:
            assert "hardly larger" in chosen.reason
        else:
            assert 1.4 * inner < 3 * chosen.array_bytes < cache.least_bytes(threads)
    memory = plan(MEMORY, found, threads, 1 << 50)
    assert memory.array_bytes >= 4 * found[-1].most_bytes(threads)
    assert memory.held_bytes is None


def test_arrays_that_do_not_fit_into_memory_are_a_reason():
    chosen = plan(MEMORY, SERVER, 1, 512 * MIB)
    assert chosen.array_bytes is None
    assert "three arrays of 128 MiB (4 × the last cache) are more than half of the memory that is free (512 MiB)" in (
        chosen.reason
    )
    with pytest.raises(NoTriadError, match="three arrays"):
        cpu_triad(chosen, 1)


def test_a_gpu_has_one_cache_between_kernels():
    inside, memory = cuda_plan("l2", 48 * MIB, 80 * GIB), cuda_plan(MEMORY, 48 * MIB, 80 * GIB)
    assert (inside.array_bytes, inside.inner_bytes, inside.held_bytes) == (8 * MIB, 0, 48 * MIB)
    assert (memory.array_bytes, memory.inner_bytes) == (256 * MIB, 48 * MIB)
    assert "does not tell" in cuda_plan("l2", None, GIB).reason
    assert "more than half" in cuda_plan(MEMORY, 48 * MIB, GIB).reason


class Clock:
    """Kernels whose calls take exactly what they are told."""

    def __init__(self):
        self.now_s = 0.0

    def kernel(self, name, flop_per_s, broken=()):
        def prepare(size):
            if size in broken:
                raise RuntimeError(f"{name}: out of memory")

            def call():
                self.now_s += gemm.flops(size) / flop_per_s(size)

            return call

        return gemm.Kernel(name, prepare)


def quickest(*kernels, clock, sizes=gemm.CPU_SIZES):
    return gemm.quickest(kernels, sizes, now=lambda: clock.now_s)


def test_the_peak_is_the_quickest_of_kernels_and_sizes():
    clock = Clock()
    grows, flat = clock.kernel("grows", lambda size: size * 1e8), clock.kernel("flat", lambda size: 1e11)
    found = quickest(grows, flat, clock=clock)
    assert (found.kernel, found.size) == ("grows", 2048)
    assert found.flops / found.best_s == pytest.approx(2048e8)
    assert set(found.tried) == {f"{name} {size}" for name in ("grows", "flat") for size in gemm.CPU_SIZES}


def test_a_slow_kernel_is_not_tried_at_sizes_that_would_take_seconds():
    clock = Clock()
    found = quickest(clock.kernel("slow", lambda size: 1e9), clock=clock)
    assert list(found.tried) == ["slow 256"]
    assert clock.now_s < 1


def test_a_size_that_does_not_fit_ends_its_kernel_and_none_at_all_is_its_reason():
    clock = Clock()
    found = quickest(clock.kernel("large", lambda size: 1e12, broken=(1024, 2048)), clock=clock)
    assert found.size in (256, 512)
    with pytest.raises(RuntimeError, match="none: out of memory"):
        quickest(clock.kernel("none", lambda size: 1e12, broken=gemm.CPU_SIZES), clock=clock)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_cpus_peak_is_the_best_of_several_engines(precision, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    names = [kernel.name for kernel in gemm.kernels(precision, "cpu", affinity_cpus())]
    assert (
        names
        == {
            "fp32": ["torch.mm", "onnxruntime MatMul", "openvino MatMul", "numpy.matmul"],
            "int8": ["torch._int_mm", "onnxruntime MatMulInteger"],
        }[precision]
    )
    found = gemm.quickest(gemm.kernels(precision, "cpu", 1), [64])
    assert found.kernel in names
    assert set(found.tried) == {f"{name} 64" for name in names if name != "numpy.matmul" or affinity_cpus() == 1}
    assert found.flops / found.best_s == max(found.tried.values())


def test_numpy_is_asked_only_where_its_threads_are_the_cells(monkeypatch):
    monkeypatch.setattr(engines, "affinity_cpus", lambda: 4)
    for name in engines.NUMPY_THREADS:
        monkeypatch.delenv(name, raising=False)
    assert [engines.numpy_takes(threads) for threads in (1, 2, 4, 8)] == [False, False, True, False]
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert not engines.numpy_takes(4)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    file = tmp_path_factory.mktemp("peaks") / "run.json"
    kept = "(gemm and int8) or tf32 or l1"
    outcome = suite(
        "--threads=1", "--precisions=int8,tf32", "-k", kept, "--rounds=3", "--warmup-rounds=1", "--isolation=none",
        f"--benchmark-json={file}",
        within="benchmarks/test_roofline_peaks.py",
    )  # fmt: skip
    assert outcome.code == 0, outcome.text
    run = json.loads(file.read_text())
    assert [one["reason"] for one in run["unmeasured"]] == ["tf32 is not a precision of a CPU"]
    return [one["extra_info"] | {"min": one["stats"]["min"]} for one in run["benchmarks"]]


def test_peaks_are_rows_of_the_study(rows):
    (product,) = (info for info in rows if info["peak"] == "gemm")
    assert (product["study"], product["phase"], product["precision"]) == ("training-roofline", "peak", "int8")
    assert product["flops_per_call"] == 2 * product["gemm_size"] ** 3
    assert product["peak_flop_per_s"] >= product["flops_per_call"] / product["min"] * 0.999999
    assert product["gemm_kernel"] in ("torch._int_mm", "onnxruntime MatMulInteger")


def test_a_level_of_memory_has_its_traffic_beside_its_rate(rows):
    for info in (info for info in rows if info["peak"] == "triad"):
        assert (info["level"], info["inner_bytes"]) == ("l1", 0)
        assert info["peak_bytes_per_s"] == pytest.approx(info["bytes_per_call"] / info["min"])
        assert info["stream_bytes_per_s"] == info["peak_bytes_per_s"]
        assert info["traffic_model"] == "triad: 3 words of 4 bytes an element (two reads, one write)"
