import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.inference import threads as threads_of
from fixtures.inference.threads import busy_threads, settled_busy_threads, verify_threads
from fixtures.option_values import thread_counts, whole_number, whole_numbers
from tailgate.errors import TailgateError
from tailgate.machine.cpus import usable_cpus

pytestmark = pytest.mark.alone


@pytest.mark.parametrize(
    ("text", "cpus", "expected"),
    [
        ("1,2,4", 2, (1, 2, 4)),
        ("4", 1, (4,)),
        ("2,2,1", 8, (2, 1)),
        ("legacy", 3, (1, 2, 3)),
        ("modern", 2, (1, 2)),
        ("modern", 24, (1, 2, 3, 4, 6, 8, 12, 16, 24)),
        ("modern", 5, (1, 2, 3, 4)),
    ],
)
def test_thread_counts(text: str, cpus: int, expected: tuple[int, ...]) -> None:
    assert thread_counts(text, cpus) == expected


@pytest.mark.parametrize("text", ["0", "-1", "two", "1,,2", "1.5", "", "1025", "1,x"])
def test_wrong_thread_counts_name_the_flag_and_what_is_allowed(text: str) -> None:
    with pytest.raises(TailgateError, match=r"--threads: .*1 to 1024, comma-separated, or legacy or modern"):
        thread_counts(text, 2)


def test_a_misspelt_sweep_is_recognised() -> None:
    with pytest.raises(TailgateError, match="did you mean 'modern'"):
        thread_counts("moderne", 2)


@given(st.lists(st.integers(1, 4096), min_size=1, max_size=10))
def test_whole_numbers_keeps_order_and_drops_repeats(numbers: list[int]) -> None:
    found = whole_numbers("--batch-sizes", ",".join(map(str, numbers)), 1, 4096)
    assert list(found) == list(dict.fromkeys(numbers))


def test_one_whole_number_is_no_list() -> None:
    assert whole_number("--image-size", "64", 32, 1024) == 64
    with pytest.raises(TailgateError, match=r"'64,128' is not a whole number \(allowed: 32 to 1024\)"):
        whole_number("--image-size", "64,128", 32, 1024)


def spin() -> None:
    for _ in range(20_000):
        pass


def test_one_computing_thread_is_seen_as_one() -> None:
    assert settled_busy_threads(spin, threads=1) == 1


@pytest.mark.skipif(usable_cpus() < 2, reason="two threads cannot run at once on one usable CPU")
def test_a_second_thread_at_work_is_seen() -> None:
    import hashlib
    import threading

    stop = threading.Event()
    block = bytes(1 << 20)

    def hash_on() -> None:  # hashing gives the interpreter lock back, so that both really run
        while not stop.is_set():
            hashlib.sha256(block).digest()

    other = threading.Thread(target=hash_on)
    other.start()
    try:
        # A neighbour may hold the second CPU for a moment, so one look that sees both is enough.
        before_s, seen = time.process_time(), []
        start_s = time.perf_counter()
        while 2 not in seen and len(seen) < 15:
            seen.append(busy_threads(lambda: hashlib.sha256(block).digest(), threads=1, least_s=0.2))
        had_cpus = (time.process_time() - before_s) / (time.perf_counter() - start_s)
    finally:
        stop.set()
        other.join()
    if 2 not in seen and had_cpus < 1.2:
        pytest.skip(f"others had the second CPU all the time: the two threads got {had_cpus:.2f} CPUs together")
    assert 2 in seen


@pytest.mark.parametrize(
    ("seen", "threads", "said"),
    [(0, 1, "no thread had a CPU for 20% of the time"), (1, 2, "only 1 of 2 threads computed"), (1, 1, None)],
)
def test_too_few_threads_are_told_by_what_can_be_the_cause(
    monkeypatch: pytest.MonkeyPatch, seen: int, threads: int, said: str | None
) -> None:
    """One thread cannot be too many for its work."""
    monkeypatch.setattr(threads_of, "settled_busy_threads", lambda *_: seen)
    info: dict[str, list[str]] = {"warnings": []}
    verify_threads("onnxruntime", threads, threads, lambda: None, info)
    assert [said in text for text in info["warnings"]] == ([True] if said else [])
