"""A driver, or bindings, that lack a call or answer it in a way of their own: it costs one reading, never the board.

Through the real bindings, on a driver library that is not there (``tests/helpers/fake_driver.py``).
"""

import ctypes
from itertools import count

import fake_driver
import pytest
from fake_boards import FakeBoard

from tailgate.machine.doctor.measures import nvml as doctor_nvml
from tailgate.machine.nvml import calls, library
from tailgate.machine.nvml.board import BY_INDEX, UNKNOWN, Identity, NvmlError, UnreadError, UnsupportedError
from tailgate.machine.nvml.recorder import MOST_LOST_IN_A_ROW, Recorder
from tailgate.machine.nvml.summary import summarize
from tailgate.machine.nvml.which import WhichError, choose
from tailgate.meters.nvml import Nvml

pynvml = pytest.importorskip("pynvml")
OPEN = "tailgate.machine.nvml.library:open_boards"
READINGS = {
    "energy_j": 5.0, "power_w": 80.25, "temperature_c": 61.0, "sm_clock_hz": 1.98e9, "memory_clock_hz": 1.98e9,
    "utilization": (0.9, 0.4), "memory_used_bytes": 3 * 2**30, "process_memory_bytes": 2**20, "pstate": 0,
    "slowdowns": 0x4,
}  # fmt: skip
COSTS = {
    "nvmlDeviceGetTotalEnergyConsumption": {"energy_j"},
    "nvmlDeviceGetClockInfo": {"sm_clock_hz", "memory_clock_hz"},
    "nvmlDeviceGetUtilizationRates": {"utilization"},
    "nvmlDeviceGetMemoryInfo": {"memory_used_bytes"},
    "nvmlDeviceGetPerformanceState": {"pstate"},
}
"""Call without an older form -> what cannot be read without it."""
NO_BOARD = ("nvmlInitWithFlags", "nvmlDeviceGetCount_v2")
WHOLE = [name for name in fake_driver.SYMBOLS if name not in (*NO_BOARD, "nvmlDeviceGetHandleByIndex_v2")]


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver that is not there is not there in another process, either."""

    def refuse(*_: object) -> None:
        raise NvmlError("no process in these tests")

    monkeypatch.setattr("tailgate.meters.nvml.Watcher", refuse)


def one_reading() -> tuple[Identity, Recorder]:
    boards = library.open_boards()
    (identity,) = boards.listed()
    recorder = Recorder(boards.board(identity), pid=4711, now=count().__next__)
    recorder.begin()
    boards.close()
    return identity, recorder


def test_the_bindings_raise_an_error_that_is_none_of_nvmls(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver.use(monkeypatch, ("nvmlDeviceGetComputeRunningProcesses_v3",))
    with pytest.raises(pynvml.NVMLLibraryMismatchError) as caught:
        pynvml.nvmlDeviceGetComputeRunningProcesses("handle")
    assert not isinstance(caught.value, pynvml.NVMLError)


def test_our_numbers_of_errors_are_the_bindings() -> None:
    assert {getattr(pynvml, f"NVML_ERROR_{name}") for name in calls.GONE.values()} == set(calls.GONE)
    names = "INVALID_ARGUMENT", "NOT_SUPPORTED", "NO_PERMISSION", "NOT_FOUND", "FUNCTION_NOT_FOUND"
    numbers = {getattr(pynvml, f"NVML_ERROR_{name}") for name in (*names, "ARGUMENT_VERSION_MISMATCH")}
    assert numbers == set(calls.NEVER_TOLD)


@pytest.mark.parametrize("missing", [None, *WHOLE])
def test_a_driver_that_lacks_one_call_lacks_one_reading(monkeypatch: pytest.MonkeyPatch, missing: str | None) -> None:
    fake_driver.use(monkeypatch, (missing,) if missing else ())
    identity, recorder = one_reading()
    (reading,) = recorder.readings
    costs = COSTS.get(missing or "", set())
    wanted = {name: value for name, value in READINGS.items() if name not in costs}
    if missing == "nvmlDeviceGetFieldValues":
        wanted["power_w"] = 71.5  # the average
    assert {name: value for name, value in reading.items() if name != "time_s"} == wanted
    assert recorder.unsupported == dict.fromkeys(costs, "unknown to this driver")
    assert recorder.lost is None
    assert (identity.name == UNKNOWN) == (missing == "nvmlDeviceGetName")
    assert identity.uuid == (f"{BY_INDEX}0" if missing == "nvmlDeviceGetUUID" else fake_driver.UUID)
    assert Nvml(OPEN).for_row({"device": "cuda:0"}).identity == identity
    assert Nvml(OPEN).unavailable() is None


@pytest.mark.parametrize("missing", NO_BOARD)
def test_without_the_first_calls_there_is_one_line(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    fake_driver.use(monkeypatch, (missing,))
    gauge = Nvml(OPEN).for_row({"device": "cuda:0"})
    assert "unknown to this driver" in gauge.problem
    assert "\n" not in gauge.problem


@pytest.mark.parametrize("name", [name for name in library.NAMES if name not in library.NEEDED])
def test_bindings_that_lack_a_name_lack_one_reading(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fake_driver.use(monkeypatch)
    monkeypatch.delattr(pynvml, name)
    _, recorder = one_reading()
    (reading,) = recorder.readings
    assert len(reading) >= len(READINGS) - 1
    said = f"pynvml lacks {name}: pip install nvidia-ml-py --upgrade"
    assert all(said in text for text in recorder.unsupported.values())


def test_bindings_without_the_first_calls_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver.use(monkeypatch)
    monkeypatch.delattr(pynvml, "nvmlDeviceGetCount")
    with pytest.raises(NvmlError, match="lacks nvmlDeviceGetCount: pip install nvidia-ml-py --upgrade"):
        library.open_boards()


@pytest.mark.parametrize(
    ("failing", "kind", "said"),
    [
        (3, UnsupportedError, "not supported"),
        (25, UnsupportedError, "unknown to this driver"),
        (10, UnreadError, "NVML: Timeout"),
        (999, UnreadError, "NVML: Unknown Error"),
        (777, UnreadError, "NVML: NVML Error with code 777"),
        (15, NvmlError, "NVML: GPU is lost"),
        (lambda *_: 1 / 0, UnreadError, "pynvml: ZeroDivisionError: division by zero"),
        (lambda *_: ctypes.c_int("x"), UnreadError, "pynvml: TypeError: "),
    ],
)
def test_every_error_has_a_kind(monkeypatch: pytest.MonkeyPatch, failing, kind, said) -> None:
    fake_driver.use(monkeypatch, ("nvmlErrorString",), nvmlDeviceGetPerformanceState=failing)
    board = library.NvmlBoard(pynvml, Identity(fake_driver.UUID, "NVIDIA L4"), "handle", "handle")
    with pytest.raises(kind) as caught:
        board.pstate()
    assert type(caught.value) is kind
    assert str(caught.value).startswith(said)


class Flaky(FakeBoard):
    """Fails some of its readings of the temperature, in its own ways."""

    failures: tuple[int, ...] = ()
    error: Exception = UnreadError("NVML: Timeout")
    asked = -1

    def temperature_c(self) -> float:
        self.asked += 1
        if self.asked in self.failures:
            raise self.error
        return 60.0 + self.asked


def read_ten_times(board: FakeBoard) -> Recorder:
    recorder = Recorder(board, pid=1, now=count().__next__)
    recorder.begin()
    for _ in range(9):
        recorder.read(full=True)
    return recorder


@pytest.mark.parametrize("error", [UnreadError("NVML: Timeout"), TypeError("no\nnumber")])
def test_an_error_that_passes_costs_one_reading_and_is_told(error: Exception) -> None:
    board = Flaky()
    board.failures, board.error = (0, 4, 5), error
    told = read_ten_times(board).report()
    temperatures = [reading.get("temperature_c") for reading in told["readings"]]
    assert temperatures == [None if index in board.failures else 60.0 + index for index in range(10)]
    found = summarize(told)
    assert found.fields["temperature_max_c"] == 69.0
    (warning,) = [text for text in found.warnings if "temperature_c" in text]
    assert warning.startswith("nvml: temperature_c could not be read 3 times, the last time because of: ")
    assert "\n" not in warning


def test_what_fails_again_and_again_is_left_out_with_its_reason() -> None:
    board = Flaky()
    board.failures = tuple(range(2, 10))
    recorder = read_ten_times(board)
    assert board.asked == 2 + MOST_LOST_IN_A_ROW - 1
    assert recorder.unsupported["temperature_c"] == "NVML: Timeout"
    assert len(recorder.readings) == 10


TWO = (Identity("GPU-aaaa", "NVIDIA L4"), Identity(f"{BY_INDEX}1", UNKNOWN, problem="NVML: GPU is lost"))


def test_a_board_that_cannot_be_opened_leaves_the_others_and_no_guess() -> None:
    assert choose({"device": "cuda:0", "gpu_uuid": "GPU-aaaa"}, {}, TWO) == TWO[0]
    assert choose({"device": "cuda:0"}, {"CUDA_VISIBLE_DEVICES": "GPU-aaaa"}, TWO) == TWO[0]
    with pytest.raises(WhichError, match=r"NVML cannot open 'NVML index 1' \(NVML: GPU is lost\)"):
        choose({"device": "cuda:0"}, {}, TWO)


def test_boards_without_names_are_not_taken_for_alike() -> None:
    unnamed = [Identity("GPU-aaaa", UNKNOWN), Identity("GPU-bbbb", UNKNOWN)]
    with pytest.raises(WhichError, match="CUDA_DEVICE_ORDER"):
        choose({"device": "cuda:0"}, {}, unnamed)
    assert choose({"device": "cuda:0"}, {}, unnamed[:1]) == unnamed[0]


def test_one_lost_board_of_two_is_listed_and_the_doctor_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def two(found):
        found._obj.value = 2
        return 0

    def by_index(index, _):
        return 15 if index.value else 0

    fake_driver.use(monkeypatch, nvmlDeviceGetCount_v2=two, nvmlDeviceGetHandleByIndex_v2=by_index)
    boards = library.open_boards()
    first, second = boards.listed()
    assert (first.uuid, second.problem) == (fake_driver.UUID, "NVML: GPU is lost")
    monkeypatch.setattr(library, "there_may_be_boards", lambda: True)
    assert Nvml(OPEN).before_setup() == {fake_driver.UUID: 80.25, second.uuid: None}
    monkeypatch.setattr(doctor_nvml, "ask", lambda host: type("Answer", (), {"gpus": ("one",)}))
    verdict = doctor_nvml.nvml(None)
    assert verdict.state == "ok"
    assert "NVIDIA L4 tells energy counter, power, SM clock" in verdict.text
    assert "cannot be opened (NVML: GPU is lost)" in verdict.text


def test_what_a_driver_does_not_tell_of_a_board_is_none_in_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver.use(monkeypatch, ("nvmlDeviceGetName", "nvmlDeviceGetUUID"))
    reading = Nvml(OPEN).for_row({"device": "cuda:0"}).start(None, threads=1)
    fields = reading.stop()
    assert (fields["gpu_name"], fields["gpu_uuid"]) == (None, None)
    assert "nvml: this driver does not tell gpu_name and gpu_uuid" in reading.warnings
