"""Devices as the command line names them, and as nvidia-smi tells them: no framework, no context on the device."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import ROOT

from fixtures.devices.memory import UNITS, cap, limit, limit_from, release
from fixtures.devices.options import DeviceWishes, set_wishes, wishes
from fixtures.devices.which import absent, capability, cuda_index, devices_from, gpu, is_cuda, slug
from tailgate.errors import TailgateError
from tailgate.machine.doctor.host import Done, Host

L4 = "NVIDIA L4, 580.1, 8.9, 30.1, 0"
T4 = "Tesla T4, 580.1, 7.5, 27.0, 0"


def machine(tmp_path: Path, *gpus: str, environ: Mapping[str, str] | None = None) -> Host:
    """With these GPUs, as nvidia-smi lists them."""
    listed = "\n".join(f"{index}, {gpu}" for index, gpu in enumerate(gpus))
    return Host(
        root=tmp_path, environ=environ or {}, which=lambda name: f"/usr/bin/{name}", run=lambda _: Done(0, listed, "")
    )


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("cpu", ("cpu",)),
        ("cuda", ("cuda:0",)),
        (" cpu, cuda:0,cuda ,cuda:11", ("cpu", "cuda:0", "cuda:11")),
    ],
)
def test_devices_are_read_each_once(text: str, devices: tuple[str, ...]) -> None:
    assert devices_from(text) == devices


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpu", "--devices: unknown device 'gpu'; did you mean 'cuda:0'? (allowed: cpu, cuda, cuda:0, "),
        ("cup", "--devices: unknown device 'cup'; did you mean 'cpu'? ("),
        ("cuda0", "--devices: unknown device 'cuda0'; did you mean 'cuda:0'? ("),
        ("CUDA:0", "--devices: unknown device 'CUDA:0'; did you mean 'cuda:0'? ("),
        ("cuda:", "--devices: 'cuda:' has no number of a GPU after the colon ("),
        ("cuda:-1", "--devices: 'cuda:-1' has no number of a GPU after the colon ("),
        ("cuda:00", "--devices: 'cuda:00' has no number of a GPU after the colon ("),
        ("cpu,mps", "--devices: unknown device 'mps'"),
        (" , ", "--devices: no device given ("),
    ],
)
def test_a_wrong_device_is_one_line(text: str, said: str) -> None:
    with pytest.raises(TailgateError) as refused:
        devices_from(text)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@given(st.lists(st.just("cpu") | st.integers(0, 99).map("cuda:{}".format), min_size=1, unique=True))
def test_what_was_written_is_what_is_read(devices: list[str]) -> None:
    assert list(devices_from(",".join(devices))) == devices
    assert [is_cuda(device) for device in devices] == [device != "cpu" for device in devices]
    assert [f"cuda{cuda_index(device)}" for device in devices if is_cuda(device)] == [
        slug(device) for device in devices if is_cuda(device)
    ]


@given(st.text(max_size=20))
def test_any_text_is_devices_or_one_line(text: str) -> None:
    said = ""
    try:
        assert devices_from(text)
    except TailgateError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1


def test_a_gpu_that_is_there(tmp_path: Path) -> None:
    host = machine(tmp_path, L4, L4)
    assert absent("cuda:1", host) is None
    assert capability("cuda:1", host) == (8, 9)
    assert gpu("cpu", host) is None
    assert absent("cpu", Host(root=tmp_path, which=lambda _: None)) is None


@pytest.mark.parametrize(
    ("environ", "device", "reason"),
    [
        ({}, "cuda:2", "there is no cuda:2: 2 GPUs, the last is cuda:1"),
        ({"CUDA_VISIBLE_DEVICES": "1"}, "cuda:1",
         "there is no cuda:1: 1 GPU (CUDA_VISIBLE_DEVICES='1' hides 1), the last is cuda:0"),
        ({"CUDA_VISIBLE_DEVICES": "1,7,0"}, "cuda:1",
         "there is no cuda:1: 1 GPU (CUDA_VISIBLE_DEVICES='1,7,0' hides 1), the last is cuda:0"),
        ({"CUDA_VISIBLE_DEVICES": ""}, "cuda:0",
         "no GPU is visible (CUDA_VISIBLE_DEVICES='' hides 2); try: unset CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, "cuda:0",
         "no GPU is visible (CUDA_VISIBLE_DEVICES='-1' hides 2); try: unset CUDA_VISIBLE_DEVICES"),
    ],
)  # fmt: skip
def test_fewer_gpus_than_asked_for(tmp_path: Path, environ: dict[str, str], device: str, reason: str) -> None:
    host = machine(tmp_path, L4, L4, environ=environ)
    assert absent(device, host) == reason
    assert capability(device, host) is None


@pytest.mark.parametrize(
    ("environ", "device", "name"),
    [
        ({}, "cuda:0", None),  # the fastest first: which of the two that is, is CUDA's own to know
        ({"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "cuda:1", "Tesla T4"),
        ({"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "1,0"}, "cuda:0", "Tesla T4"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-5f2c"}, "cuda:0", None),
    ],
)
def test_of_unlike_gpus_only_what_is_known_is_told(
    tmp_path: Path, environ: dict[str, str], device: str, name: str | None
) -> None:
    host = machine(tmp_path, L4, T4, environ=environ)
    assert absent(device, host) is None
    found = gpu(device, host)
    assert (found.name if found else None) == name


def test_no_gpu_no_driver_and_a_broken_one_are_told_apart(tmp_path: Path) -> None:
    assert absent("cuda:0", Host(root=tmp_path, which=lambda _: None)) == "no NVIDIA GPU"
    board = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    board.mkdir(parents=True)
    (board / "vendor").write_text("0x10de\n")
    (board / "class").write_text("0x030200\n")
    apt = Host(root=tmp_path, which=lambda name: "/usr/bin/apt-get" if name == "apt-get" else None, superuser=True)
    assert "driver is not installed" in str(absent("cuda:0", apt))
    broken = Host(root=tmp_path, which=lambda name: name, run=lambda _: Done(9, "NVIDIA-SMI has failed", ""))
    assert absent("cuda:0", broken) == "nvidia-smi fails: NVIDIA-SMI has failed; try: sudo modprobe nvidia"


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("2GiB", 2**31), ("512 MiB", 2**29), ("1.5GB", 1_500_000_000), ("1gib", 2**30), ("2048KiB", 2**21)],
)
def test_a_limit_is_a_number_with_its_unit(text: str, size_bytes: int) -> None:
    assert limit_from(text) == size_bytes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2", "--device-memory-limit: '2' has no unit (allowed: a number with its unit, such as 512MiB"),
        ("2G", "--device-memory-limit: 'G' is not a unit (allowed: "),
        ("-2GiB", "--device-memory-limit: '-2GiB' is not a size (allowed: "),
        ("", "--device-memory-limit: '' is not a size (allowed: "),
        ("1KiB", "--device-memory-limit: 1KiB is out of range (allowed: "),
        ("2000GiB", "--device-memory-limit: 2000GiB is out of range (allowed: "),
    ],
)
def test_a_wrong_limit_is_one_line(text: str, said: str) -> None:
    with pytest.raises(TailgateError) as refused:
        limit_from(text)
    assert str(refused.value).startswith(said)


@given(st.integers(2, 999), st.sampled_from([unit for unit in UNITS if unit.startswith(("M", "G"))]))
def test_a_limit_is_read_in_bytes(number: int, unit: str) -> None:
    assert limit_from(f"{number}{unit}") == number * UNITS[unit]


def test_the_wishes_are_one_for_the_session() -> None:
    before = wishes()
    try:
        set_wishes(DeviceWishes(2**31, flush_l2=True))
        assert (limit(), wishes().flush_l2) == (2**31, True)
    finally:
        set_wishes(before)


@pytest.mark.parametrize(("limit_bytes", "share"), [(2**30, 0.25), (2**32, 1.0), (2**40, 1.0), (None, 1.0)])
def test_a_limit_is_a_share_of_the_board(limit_bytes: int | None, share: float) -> None:
    said: list[tuple[float, int]] = []
    cuda = SimpleNamespace(
        get_device_properties=lambda index: SimpleNamespace(total_memory=2**32),
        set_per_process_memory_fraction=lambda *args: said.append(args),
    )
    cap(cuda, limit_bytes, 1)
    assert said == [(share, 1)]
    assert isinstance(said[0][0], float)  # torch takes nothing else


def test_memory_is_given_back_only_where_cuda_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def torch(*, opened: bool) -> SimpleNamespace:
        return SimpleNamespace(
            cuda=SimpleNamespace(is_initialized=lambda: opened, empty_cache=lambda: calls.append("empty_cache"))
        )

    monkeypatch.setitem(sys.modules, "torch", torch(opened=False))
    release()
    assert calls == []
    monkeypatch.setitem(sys.modules, "torch", torch(opened=True))
    release()
    assert calls == ["empty_cache"]
    monkeypatch.delitem(sys.modules, "torch")
    release()
    assert "torch" not in sys.modules


def test_asking_for_devices_imports_no_framework() -> None:
    script = (
        "import sys\nfrom fixtures.devices.which import absent, capability\n"
        "from fixtures.devices import memory as device_memory\n"
        "absent('cuda:0'), capability('cuda:0'), device_memory.release()\n"
        "print([name for name in ('torch', 'numpy', 'onnxruntime', 'pynvml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
