"""``--meters=nvml``: joules and how sure, the driver's bits, which board, and the process that reads it."""

import math
import os
import time
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_boards import L4, OTHER_L4, T4, FakeBoard, FakeBoards
from hypothesis import given, settings
from hypothesis import strategies as st
from isolated import CONFTEST, Project, run_together

from tailgate.machine.doctor.measures import nvml as doctor_nvml
from tailgate.machine.nvml import calls, library, slowdowns, watcher
from tailgate.machine.nvml.board import Identity, NvmlError, UnsupportedError
from tailgate.machine.nvml.energy import LEAST_UPDATES, from_counter, from_power
from tailgate.machine.nvml.library import NAMES, NvmlBoard, NvmlBoards, open_boards
from tailgate.machine.nvml.recorder import Recorder
from tailgate.machine.nvml.summary import FIELDS, of_an_item, summarize
from tailgate.machine.nvml.watcher import Watcher
from tailgate.machine.nvml.which import WhichError, choose, visible
from tailgate.measure.watch import Watch
from tailgate.meters.nvml import Nvml
from tailgate.session.settings import Settings

HELPERS = str(Path(__file__).parents[1] / "helpers")
RENAMED = (
    ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"),
    ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"),
)
pynvml = pytest.importorskip("pynvml")


def recorded(duration_s: float, made: FakeBoard, start_s: float = 1000.0) -> dict:
    """A board's readings over so long, on a clock that only the readings move."""
    clock = SimpleNamespace(now_s=start_s)
    made.now = lambda: clock.now_s
    made.born_s = start_s
    recorder = Recorder(made, pid=1, now=made.now)
    recorder.begin()
    while clock.now_s + 0.02 < start_s + duration_s:
        clock.now_s += 0.02
        recorder.tick()
    clock.now_s = start_s + duration_s
    recorder.read(full=True)
    return recorder.report()


# The calls: every name in the real bindings; what they give, through the real bindings' errors and structures.


@pytest.mark.parametrize("name", [*NAMES, *(name for pair in RENAMED for name in pair)])
def test_the_real_bindings_have_every_name_we_use(name):
    assert hasattr(pynvml, name)


def test_our_words_are_the_bindings_bits():
    for bit, word in slowdowns.REASONS.items():
        name = "".join(part.capitalize() for part in word.split("_"))
        known = {
            value for key, value in vars(pynvml).items() if key.endswith((f"Reason{name}", f"Reason{name}Slowdown"))
        }
        assert known == {bit}, word


def test_without_a_driver_there_is_one_line():
    if library.there_may_be_boards():
        pytest.skip("this machine has NVIDIA's driver")
    with pytest.raises(
        NvmlError, match=r"^NVML cannot be used here \(.*\): is NVIDIA's driver installed and loaded\?$"
    ):
        open_boards()
    assert Nvml().before_setup() is None
    assert Nvml().unavailable().startswith("nvml: NVML cannot be used here")


def test_without_the_package_the_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    with pytest.raises(NvmlError, match="pip install nvidia-ml-py"):
        open_boards()


def failing(code: int):
    def call(*_):
        raise pynvml.NVMLError(code)

    return call


def field_value(milliwatts: int, code: int = 0):
    value = pynvml.c_nvmlFieldValue_t()
    value.nvmlReturn, value.value.uiVal = code, milliwatts
    return lambda handle, wanted: [value]


def test_power_is_the_instantaneous_one_or_the_average(monkeypatch: pytest.MonkeyPatch):
    one = NvmlBoard(pynvml, L4, "handle", "handle")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", lambda handle: 71_500)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetFieldValues", field_value(80_250))
    assert (one.power_w(), one.power_window_s()) == (80.25, library.INSTANT_WINDOW_S)
    older = NvmlBoard(pynvml, L4, "handle", "handle")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetFieldValues", field_value(0, pynvml.NVML_ERROR_NOT_SUPPORTED))
    assert (older.power_w(), older.power_window_s()) == (71.5, library.AVERAGE_WINDOW_S)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", failing(pynvml.NVML_ERROR_GPU_IS_LOST))
    with pytest.raises(NvmlError, match="NVML: GPU is lost"):
        older.power_w()


def test_an_unknown_error_is_of_the_call_that_gave_it_and_the_board_is_not_gone(monkeypatch: pytest.MonkeyPatch):
    one = NvmlBoard(pynvml, L4, "handle", "handle")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUtilizationRates", failing(pynvml.NVML_ERROR_UNKNOWN))
    with pytest.raises(UnsupportedError, match="NVML: Unknown Error"):
        one.utilization()
    monkeypatch.setattr(pynvml, "nvmlDeviceGetFieldValues", field_value(0, pynvml.NVML_ERROR_UNKNOWN))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", lambda handle: 71_500)
    assert one.power_w() == 71.5
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", failing(pynvml.NVML_ERROR_UNINITIALIZED))
    with pytest.raises(NvmlError):
        one.power_w()


def test_what_the_board_ceases_to_tell_is_no_value_of_the_whole():
    told = recorded(3.0, FakeBoard())
    for reading in told["readings"][50:]:
        del reading["energy_j"]
    told["unsupported"]["energy_j"] = "NVML: Unknown Error"
    assert summarize(told).fields["energy_source"] == "integrated"


def test_a_call_with_two_names_is_made_by_the_one_that_the_driver_knows(monkeypatch: pytest.MonkeyPatch):
    for new, old in RENAMED:
        monkeypatch.setattr(pynvml, new, failing(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND))
        monkeypatch.setattr(pynvml, old, lambda *_: 64)
    one = NvmlBoard(pynvml, L4, "handle", "handle")
    assert one.temperature_c() == 64.0
    assert slowdowns.names(one.slowdowns()) == ("hw_thermal_slowdown",)


def test_a_partitioned_board_keeps_what_is_all_instances_to_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", lambda handle: 5_000)
    assert NvmlBoard(pynvml, L4, "handle", "handle").energy_j() == 5.0
    shared = NvmlBoard(pynvml, Identity(L4.uuid, L4.name, mig=True), "handle", None)
    for ask in (shared.energy_j, shared.power_w, shared.utilization, shared.memory_used_bytes):
        with pytest.raises(UnsupportedError, match="MIG"):
            ask()


def test_boards_are_listed_with_what_the_bindings_say(monkeypatch: pytest.MonkeyPatch):
    for name, answer in {
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: "handle",
        "nvmlDeviceGetUUID": lambda handle: L4.uuid.encode(),
        "nvmlDeviceGetName": lambda handle: "NVIDIA L4",
        "nvmlDeviceGetMigMode": failing(pynvml.NVML_ERROR_NOT_SUPPORTED),
        "nvmlShutdown": failing(pynvml.NVML_ERROR_DRIVER_NOT_LOADED),
    }.items():
        monkeypatch.setattr(pynvml, name, answer)
    boards = NvmlBoards(pynvml)
    assert boards.listed() == [L4]
    boards.close()  # the driver went before us


# Energy.

DURATIONS = st.floats(0.05, 20.0)
STEPS = st.floats(0.001, 0.3)


@settings(max_examples=60, deadline=None)
@given(duration_s=DURATIONS, step_s=STEPS, watts=st.floats(5, 700), start_s=st.floats(0, 1000))
def test_the_counter_of_constant_power_is_right_within_what_is_said(duration_s, step_s, watts, start_s):
    fields = summarize(recorded(duration_s, FakeBoard(watts=watts, step_s=step_s), start_s)).fields
    if fields["energy_source"] != "counter":  # too few steps; the power was there to integrate, or it was not
        assert duration_s / max(step_s, 0.02) < LEAST_UPDATES + 3
        return
    true_j = watts * duration_s
    assert abs(fields["energy_j"] - true_j) <= fields["energy_uncertainty_rel"] * fields["energy_j"] * (1 + 1e-6) + 1e-6
    assert fields["power_mean_w"] == pytest.approx(fields["energy_j"] / duration_s)


@given(gaps_s=st.lists(st.floats(0.02, 0.05), min_size=30, max_size=40), watts=st.floats(5, 700))
def test_integrated_constant_power_is_power_times_time(gaps_s, watts):
    times_s = list(accumulate(gaps_s))
    found = from_power(times_s, [watts] * len(times_s), window_s=0.01)
    assert found.energy_j == pytest.approx(watts * (times_s[-1] - times_s[0]))
    assert found.power_mean_w == pytest.approx(watts)


@settings(max_examples=30, deadline=None)
@given(watts=st.floats(5, 700), step_s=st.sampled_from([0.02, 0.1, None]), shorter_s=st.floats(2.0, 8.0))
def test_more_time_is_less_uncertainty(watts, step_s, shorter_s):
    rels = [
        summarize(recorded(times * shorter_s, FakeBoard(watts=watts, step_s=step_s))).fields["energy_uncertainty_rel"]
        for times in (1, 2, 4)
    ]
    assert rels == sorted(rels, reverse=True)
    assert len(set(rels)) == 3


def test_power_that_varies_is_less_certain_than_power_that_does_not():
    times_s = [index * 0.02 for index in range(200)]
    steady = from_power(times_s, [100.0] * 200, 0.1)
    wild = from_power(times_s, [50.0, 150.0] * 100, 0.1)
    assert wild.uncertainty_rel > steady.uncertainty_rel


@pytest.mark.parametrize("step_s", [30.0, None])
def test_too_short_is_no_energy_and_what_to_do(step_s):
    found = summarize(recorded(0.3, FakeBoard(step_s=step_s)))
    assert {found.fields[name] for name in ("energy_j", "power_mean_w", "energy_source")} == {None}
    (warning,) = [text for text in found.warnings if "energy" in text and "tell" not in text]
    assert "too short to measure" in warning
    assert "--rounds" in warning
    assert "--benchmark-max-time" not in warning  # `quick` stops at 2,000 rounds, however long it may take


def test_a_counter_that_goes_back_is_no_energy():
    found = from_counter([0.0, 1.0, 2.0], [500.0, 600.0, 3.0])
    assert found.energy_j is None
    assert "went back" in found.reason


def test_a_board_without_a_counter_is_integrated_and_a_slow_counter_too():
    for made in (FakeBoard(step_s=None), FakeBoard(step_s=30.0)):
        found = summarize(recorded(5.0, made))
        assert found.fields["energy_source"] == "integrated"
        assert found.fields["energy_j"] == pytest.approx(500.0)
        assert not [text for text in found.warnings if "energy" in text]


def test_an_item_has_its_share_and_none_where_other_calls_were_among_them():
    assert of_an_item({"energy_j": 500.0}, 100, 8) == {"energy_per_item_j": 0.625, "images_per_joule": 1.6}
    assert of_an_item({"energy_j": 500.0}, None, 8) == {"energy_per_item_j": None, "images_per_joule": None}
    assert of_an_item({"energy_j": None}, 100, 8) == {"energy_per_item_j": None, "images_per_joule": None}


# Slow-downs.


@given(st.integers(0, 2**64 - 1))
def test_every_bit_has_one_word(bits):
    found = slowdowns.names(bits)
    assert len(found) == len(set(found)) == bits.bit_count()
    bit_of = {word: bit for bit, word in slowdowns.REASONS.items()}
    assert sum(bit_of[word] if word in bit_of else int(word.removeprefix("unknown_"), 16) for word in found) == bits


@pytest.mark.parametrize(
    ("bits", "throttled", "said"),
    [
        (0x000, False, None),
        (0x001 | 0x002 | 0x010 | 0x100, False, None),
        (0x004, False, None),
        (0x020, True, "sw_thermal_slowdown in 100%"),
        (0x008 | 0x040, True, "hw_thermal_slowdown in 100%"),
        (0x008 | 0x080, True, "power supply"),
        (0x008, True, "cooling and its power supply"),
    ],
)
def test_only_heat_and_a_failing_supply_make_a_row_throttled(bits, throttled, said):
    found = summarize(recorded(2.0, FakeBoard(bits=bits)))
    assert found.fields["throttled"] is throttled
    assert found.fields["throttled_share"] == throttled
    assert found.fields["throttle_reasons"] == ",".join(slowdowns.names(bits))
    assert (found.throttled is not None) == throttled
    assert said is None or said in found.throttled
    assert found.fields["power_capped_share"] == (1.0 if bits & 0x4 else 0.0)
    assert bool([text for text in found.warnings if "power limit" in text]) == bool(bits & 0x4)


def test_one_slowdown_without_a_cause_is_a_change_of_clocks():
    told = recorded(2.0, FakeBoard())
    told["readings"][5]["slowdowns"] = 0x8
    assert summarize(told).fields["throttled"] is False
    told["readings"][10]["slowdowns"] = 0x8
    assert summarize(told).fields["throttled"] is True


# The summary.


def test_a_row_has_every_field_and_one_line_for_what_the_board_does_not_tell():
    found = summarize(recorded(3.0, FakeBoard()))
    assert found.fields.keys() == set(FIELDS)
    assert found.fields["temperature_max_c"] == 61.0
    assert found.fields["sm_clock_mean_hz"] == 1.98e9
    assert found.fields["gpu_utilization_mean"] == pytest.approx(0.9)
    assert found.fields["gpu_memory_used_peak_bytes"] == 3 * 2**30
    assert found.fields["gpu_memory_process_peak_bytes"] is None
    assert found.fields["pstate"] == "P0"
    assert found.warnings == [
        "nvml: this board does not tell process_memory_bytes: the driver does not list this process"
    ]


def test_a_board_that_is_lost_in_the_middle_leaves_no_values_of_the_whole():
    found = summarize(recorded(3.0, FakeBoard(lost_after_s=1.0)))
    assert set(found.fields.values()) == {None}
    (warning,) = found.warnings
    assert warning == "nvml: NVML: GPU is lost (1 s into the timed rounds): values of a part are left out"


# Which board.

ALIKE, MIXED = (L4, OTHER_L4), (L4, OTHER_L4, T4)


@pytest.mark.parametrize(
    ("device", "variables", "boards", "wanted"),
    [
        ("cuda:1", {}, ALIKE, OTHER_L4),
        ("cuda", {}, ALIKE, L4),
        ("cuda:0", {"CUDA_VISIBLE_DEVICES": "1"}, ALIKE, OTHER_L4),
        ("cuda:1", {"CUDA_VISIBLE_DEVICES": "1,0"}, ALIKE, L4),
        ("cuda:0", {"CUDA_VISIBLE_DEVICES": "GPU-aaab"}, MIXED, T4),
        ("cuda:2", {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, MIXED, T4),
        ("cuda:0", {"CUDA_VISIBLE_DEVICES": "2", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, MIXED, T4),
        (None, {}, (T4,), T4),
    ],
)
def test_cudas_number_is_a_board(device, variables, boards, wanted):
    assert choose({"device": device} if device else {}, variables, boards) == wanted


@pytest.mark.parametrize(
    ("info", "variables", "boards", "said"),
    [
        ({"device": "cuda:0"}, {}, MIXED, "CUDA_DEVICE_ORDER=PCI_BUS_ID"),
        ({"device": "cuda:1"}, {"CUDA_VISIBLE_DEVICES": "0,-1,1"}, ALIKE, "1 are visible"),
        ({"device": "cuda:0"}, {"CUDA_VISIBLE_DEVICES": ""}, ALIKE, "0 are visible"),
        ({"device": "cuda:0"}, {"CUDA_VISIBLE_DEVICES": "GPU-"}, ALIKE, "0 are visible"),
        ({"device": "cuda:x"}, {}, ALIKE, "no GPU 'cuda:x'"),
        ({}, {}, ALIKE, r"2 GPUs are visible: say which with benchmark.extra_info\['device'\]"),
        ({"device": "cuda:0"}, {}, (), "no GPU"),
        ({"device": "cuda:0", "gpu_uuid": "GPU-ffff"}, {}, ALIKE, "no GPU is 'GPU-ffff'"),
    ],
)
def test_a_board_that_cannot_be_told_is_said(info, variables, boards, said):
    with pytest.raises(WhichError, match=said):
        choose(info, variables, boards)


def test_a_uuid_wins_and_an_instance_is_one():
    assert choose({"device": "cuda:0", "gpu_uuid": "bbbb2222-0000"}, {}, MIXED) == OTHER_L4
    (found,) = visible({"CUDA_VISIBLE_DEVICES": "MIG-1234"}, ALIKE)
    assert found.mig
    assert found.uuid == "MIG-1234"


# The process that reads.


@pytest.fixture
def in_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sampler finds the boards that are not there."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([HELPERS, os.environ.get("PYTHONPATH", "")]))


def test_a_process_reads_a_board_from_begin_to_end(in_tests: None):
    meter = Nvml("fake_boards:steady")
    gauge = meter.for_row({"device": "cuda:0"})
    try:
        assert gauge.sm_clock_hz() == 1.98e9
        for seconds in (0.8, 5.0, 30.0):  # a busy machine lets the sampler read less often
            reading = gauge.start({L4.uuid: 23.0}, threads=1)
            time.sleep(seconds)
            fields = reading.stop()
            if fields["energy_source"] == "counter":
                break
        sampler = gauge.watcher._process
        assert reading.afterwards() == {"power_idle_after_w": 100.0}
    finally:
        gauge.close()
    assert sampler.returncode == 0
    assert fields["power_idle_before_w"] == 23.0
    assert fields["energy_source"] == "counter"
    assert abs(fields["power_mean_w"] - 100.0) <= 100 * fields["energy_uncertainty_rel"] * 1.5
    assert fields["nvml_readings"] >= LEAST_UPDATES
    assert fields["gpu_name"] == "NVIDIA L4"
    assert reading.throttled is None


def test_a_board_lost_in_the_middle_costs_its_fields(in_tests: None):
    gauge = Nvml("fake_boards:soon_lost").for_row({"device": "cuda:0"})
    reading = gauge.start(None, threads=1)
    time.sleep(0.3)
    fields = reading.stop()
    gauge.close()
    assert fields["energy_j"] is None
    assert reading.warnings[0].startswith("nvml: NVML: GPU is lost (")


def test_a_driver_that_hangs_and_a_sampler_that_dies_cost_theirs(in_tests: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watcher, "ANSWERING_S", 0.3)
    hanging = Watcher(L4, "fake_boards:hanging")
    with pytest.raises(NvmlError, match=r"did not answer within 0.3 s"):
        hanging.begin()
    hanging._process.kill()
    hanging._process.wait()
    with pytest.raises(NvmlError, match=r"ended by itself \(exit status -9\)"):
        hanging.end()
    hanging.close()


@pytest.mark.parametrize("info", [{"device": "cpu"}, {"device": "xpu:0"}])
def test_a_row_of_another_device_is_none_of_its_business(info):
    assert Nvml("fake_boards:steady").for_row(info) is None


# Whole sessions.

CONTEXT = """
import time, pytest
pytestmark = pytest.mark.throughput(items=4)

@pytest.mark.parametrize("device", ["cuda:0", "cpu"])
def test_it(benchmark, device):
    benchmark.extra_info["device"] = device
    benchmark(time.sleep, 0.005)

def test_pedantic(benchmark):
    benchmark.extra_info["device"] = "cuda:0"
    benchmark.pedantic(time.sleep, args=(0.001,), rounds=2)
"""
METER = "from tailgate.meters import nvml\nnvml.METER.boards = 'fake_boards:{}'\nnvml.REST_S = 0.01\n"


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory):
    wanted = {
        "steady": ("--protocol=quick", "--rounds=60"),
        "hot": ("--protocol=quick", "--rounds=2", "--csv=rows.csv", "--isolation=process", "-k", "cuda"),
        "gone": ("--rounds=2", "--meters=nvml"),
    }
    projects = {}
    for name in wanted:
        projects[name] = Project(tmp_path_factory.mktemp(name), test_gpu=CONTEXT)
        projects[name].write("conftest.py", CONFTEST + METER.format(name))
    path = os.pathsep.join([HELPERS, os.environ.get("PYTHONPATH", "")])
    ended = run_together(*((projects[name], arguments) for name, arguments in wanted.items()), PYTHONPATH=path)
    return dict(zip(wanted, ended, strict=True)), projects


def told(sessions, name: str, device: str = "cuda:0") -> dict:
    session = sessions[0][name]
    assert session.code == 0, session.out
    assert not session.left
    return session.rows[f"test_it[{device}]"]["extra_info"]


def test_under_a_protocol_a_gpus_row_has_the_meter_unasked(sessions):
    info = told(sessions, "steady")
    assert set(FIELDS) <= info.keys()
    assert info["status"] != "throttled"  # busy machines make contended ones
    assert info["power_idle_before_w"] == info["power_idle_after_w"] == 100.0
    assert info["energy_per_item_j"] == pytest.approx(info["energy_j"] / (60 * 4))
    assert info["images_per_joule"] == pytest.approx(1 / info["energy_per_item_j"])
    assert 0 < info["energy_uncertainty_rel"] < 1
    assert math.isclose(info["power_mean_w"], 100, rel_tol=0.3)
    assert not set(FIELDS) & told(sessions, "steady", "cpu").keys()


def test_a_throttled_board_makes_a_throttled_row_that_is_kept(sessions):
    info = told(sessions, "hot")
    assert info["status"] == "throttled"
    assert "tries" not in info
    assert any(text.startswith("throttled: the GPU's clocks were held down: sw_ther") for text in info["warnings"])
    header, row, *_ = (sessions[1]["hot"].folder / "rows.csv").read_text().splitlines()
    assert "throttle_reasons" in header
    assert "sw_thermal_slowdown" in row


def test_without_a_driver_the_run_goes_on_with_one_line(sessions):
    info = told(sessions, "gone")
    assert info["energy_j"] is None
    assert [text for text in info["warnings"] if text.startswith("nvml: ")] == [
        "nvml: NVML cannot be used here (Driver Not Loaded): is NVIDIA's driver installed and loaded?"
    ]
    assert not [text for text in told(sessions, "gone", "cpu")["warnings"] if "nvml" in text]


def test_typed_meters_are_all_there_are():
    info = {"device": "cuda:0"}
    assert Watch(Settings(meters=("cpu",)), {}, info)._names == ("cpu",)
    assert Watch(Settings(meters=("cpu",), gpu_meters=("nvml",)), {}, info)._names == ("cpu", "nvml")
    assert Watch(Settings(meters=("cpu",), gpu_meters=("nvml",)), {}, {"device": "cpu"})._names == ("cpu",)


def test_where_the_rounds_are_not_a_protocols_the_energy_is_of_no_item(sessions):
    info = sessions[0]["steady"].rows["test_pedantic"]["extra_info"]
    assert info["energy_per_item_j"] is None
    assert info["temperature_max_c"] == 61.0


# The doctor.


@pytest.mark.parametrize(
    ("opens", "state", "said"),
    [
        (lambda: FakeBoards(FakeBoard()), "ok", "NVML: 1 x NVIDIA L4 tells energy counter, power, SM clock"),
        (lambda: FakeBoards(FakeBoard(step_s=None)), "ok", "no energy counter (not supported), power"),
        (lambda: FakeBoards(FakeBoard(lost_after_s=-1.0)), "missing", "NVML: GPU is lost"),
        (failing(0), "missing", "the package nvidia-ml-py is not installed"),
    ],
    ids=["all", "no counter", "lost", "no package"],
)
def test_the_doctor_says_whether_nvml_can_be_read(monkeypatch: pytest.MonkeyPatch, opens, state, said):
    def missing():
        raise NvmlError(f"the package nvidia-ml-py is not installed: {calls.INSTALL}")

    monkeypatch.setattr(doctor_nvml, "ask", lambda host: SimpleNamespace(gpus=("one",)))
    monkeypatch.setattr(doctor_nvml, "open_boards", missing if "package" in said else opens)
    verdict = doctor_nvml.nvml(SimpleNamespace())
    assert verdict.state == state
    assert said in verdict.text
    assert (verdict.remedy == calls.INSTALL) == ("package" in said)


def test_the_doctor_has_nothing_to_say_without_a_gpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor_nvml, "ask", lambda host: SimpleNamespace(gpus=()))
    assert doctor_nvml.nvml(SimpleNamespace(exists=lambda path: False)) is None
