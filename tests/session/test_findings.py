"""What is told at the end of a session."""

from tailgate.session.findings import Findings


def test_findings_tell_each_reason_once_with_how_often() -> None:
    found = Findings(selected=3)
    assert found.nothing_measured() == "Nothing was measured: all 3 selected benchmarks were skipped."
    for name in ("a", "b"):
        found.not_measured(f"test_{name}", "crashed", "crashed: SIGSEGV")
    found.not_measured("test_c", "timeout", "timeout: not done after 600 s")
    assert found.reasons() == ["  2 x crashed: SIGSEGV", "  1 x timeout: not done after 600 s"]
    assert found.nothing_measured() == "Nothing was measured: all 3 selected benchmarks failed."


def test_findings_say_a_warning_once_for_all_rows_whatever_its_numbers() -> None:
    found = Findings(selected=3)
    found.remarks.append("said first")
    for number, name in enumerate("abc"):
        found.warn(f"test_{name}", f"others used 0.{number} CPUs")
    found.warn("test_a", "another matter")
    assert found.to_mind() == [
        "said first", "Warning for test_a and 2 more: others used 0.0 CPUs", "Warning for test_a: another matter",
    ]  # fmt: skip


def test_a_warning_is_of_one_kind_whatever_the_unit_of_its_numbers() -> None:
    found = Findings()
    for number in ("999 µs", "1.2 ms", "1,024 s", "3e-05 s", "2 min"):
        found.warn("test_a", f"a call took {number} here")
    for size in ("3 MiB", "1.5 GB"):
        found.warn("test_b", f"needs {size}")
    assert found.to_mind() == [
        "Warning for test_a and 4 more: a call took 999 µs here",
        "Warning for test_b and 1 more: needs 3 MiB",
    ]
