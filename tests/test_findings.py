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
        "said first", "Mind test_a and 2 more: others used 0.0 CPUs", "Mind test_a: another matter",
    ]  # fmt: skip
