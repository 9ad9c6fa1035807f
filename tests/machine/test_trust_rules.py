"""Every rule that calls a row contended or throttled, and what must not."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.machine.trust import Reading, judge, read_since, rules
from tailgate.machine.trust.drift import MOST_COMPUTE_CHANGE_REL, MOST_MEMORY_CHANGE_REL
from tailgate.machine.trust.judgement import SOURCES
from tailgate.machine.trust.stretch import Stretch, between

QUIET = Stretch(
    wall_s=1.0, own_cpus=1.0, cpus=2, usable_cpus=2, wanted_cpus=1, other_cpus=0.0, steal_cpus=0.0,
    run_delay_share=0.0, run_delay_per_wall=0.0, involuntary_switches=0, pressure_cpu_share=0.0,
    pressure_memory_share=0.0, pressure_io_share=0.0, throttled_share=0.0, throttled_periods=0,
    frequency_hz=2e9, thermal_throttles=0,
)  # fmt: skip
WAITING: dict[str, Any] = {"run_delay_share": 0.06, "run_delay_per_wall": 0.06}


@pytest.mark.parametrize(
    ("rule", "seen", "speaks"),
    [
        # The hypervisor: 5 % of the CPUs wanted.
        ("steal", {"steal_cpus": 0.06}, True),
        ("steal", {"steal_cpus": 0.05}, False),
        ("steal", {"steal_cpus": 0.06, "wanted_cpus": 2}, False),
        ("steal", {"steal_cpus": 0.11, "wanted_cpus": 2}, True),
        ("steal", {"steal_cpus": 0.11, "wanted_cpus": 9}, True),  # it could have had two
        ("steal", {"steal_cpus": None}, False),
        # Others on CPUs that the benchmark wants: a quarter of a CPU.
        ("other_processes", {"other_cpus": 0.2, "wanted_cpus": 2}, False),
        ("other_processes", {"other_cpus": 0.3, "wanted_cpus": 2}, True),
        ("other_processes", {"other_cpus": 0.3, "wanted_cpus": 8}, True),
        ("other_processes", {"other_cpus": 0.3, "wanted_cpus": 1, "cpus": 1, "usable_cpus": 1}, True),
        # Others on CPUs that it leaves over: half of these.
        ("other_processes", {"other_cpus": 0.5}, False),
        ("other_processes", {"other_cpus": 0.6}, True),
        ("other_processes", {"other_cpus": 15.0, "cpus": 32, "usable_cpus": 32}, False),
        ("other_processes", {"other_cpus": 16.0, "cpus": 32, "usable_cpus": 32}, True),
        # One busy process on a machine of few CPUs.
        ("other_processes", {"other_cpus": 0.7, "cpus": 16, "usable_cpus": 16}, False),
        ("other_processes", {"other_cpus": 1.0, "cpus": 16, "usable_cpus": 16}, True),
        ("other_processes", {"other_cpus": 1.0, "cpus": 17, "usable_cpus": 17}, False),
        # A container with two CPUs' quota on a host of 64: the others have 62 to themselves.
        ("other_processes", {"other_cpus": 20.0, "cpus": 64, "usable_cpus": 2, "wanted_cpus": 2}, False),
        ("other_processes", {"other_cpus": None}, False),
        ("other_processes", {"other_cpus": 9.0, "cpus": None}, False),
        # Threads of ours that waited while others ran.
        ("run_delay", {**WAITING, "other_cpus": 0.11}, True),
        ("run_delay", {**WAITING, "other_cpus": 0.1}, False),
        ("run_delay", {**WAITING, "run_delay_share": 0.05, "other_cpus": 0.2}, False),
        ("run_delay", {**WAITING, "other_cpus": 0.2, "wanted_cpus": 3}, False),  # they waited for each other
        ("run_delay", {**WAITING, "other_cpus": 0.2, "wanted_cpus": 2, "usable_cpus": 1}, False),
        ("run_delay", {"run_delay_share": 0.5, "run_delay_per_wall": 0.005, "other_cpus": 0.2}, False),  # of nothing
        ("run_delay", {**WAITING, "other_cpus": None}, False),
        ("run_delay", {**WAITING, "run_delay_share": None, "other_cpus": 0.2}, False),
        # The container's own quota.
        ("quota", {"throttled_share": 0.011, "throttled_periods": 1}, True),
        ("quota", {"throttled_share": 0.01, "throttled_periods": 1}, False),
        ("quota", {"throttled_share": None}, False),
        # Short of memory.
        ("memory", {"pressure_memory_share": 0.06}, True),
        ("memory", {"pressure_memory_share": 0.05}, False),
        ("memory", {"pressure_memory_share": None}, False),
        # Heat.
        ("heat", {"thermal_throttles": 1}, True),
        ("heat", {"thermal_throttles": 0}, False),
        ("heat", {"thermal_throttles": None}, False),
    ],
)
def test_every_rule_on_either_side_of_its_limit(rule: str, seen: dict[str, Any], speaks: bool) -> None:
    assert (getattr(rules, rule)(replace(QUIET, **seen)) is not None) is speaks


SPEAKING = [
    (rules.steal, {"steal_cpus": 0.31}, "contended: the hypervisor took 0.31 CPUs' worth of time while 1 was wanted "
     "here (limit 0.05): measure again later, or on a machine with CPUs of its own"),
    (rules.quota, {"throttled_share": 0.123, "throttled_periods": 7}, "contended: the container's CPU quota stopped it "
     "for 12% of the time, in 7 periods (limit 1%): use fewer threads, or raise the quota (docker --cpus, Kubernetes "
     "limits.cpu)"),
    (rules.other_processes, {"other_cpus": 0.79, "wanted_cpus": 2}, "contended: other processes used 0.79 of 2 CPUs "
     "while 2 were wanted here (limit 0.25): end them (top shows them) and measure again"),
    (rules.run_delay, {"other_cpus": 0.2, "run_delay_share": 0.0512, "run_delay_per_wall": 0.05}, "contended: its "
     "threads waited for a CPU for 5.1% of the time they wanted one (limit 5%) while other processes used 0.20 of 2 "
     "CPUs: end them (top shows them) and measure again"),
    (rules.memory, {"pressure_memory_share": 0.4}, "contended: tasks of this machine waited for memory for 40% of the "
     "time (limit 5%): it reclaims or swaps; free memory, or take a smaller batch"),
    (rules.heat, {"thermal_throttles": 3}, "throttled: heat slowed the processor 3 times while this ran (limit 0): let "
     "it cool or cool it better, or fix a lower frequency, and measure again"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "seen", "text"), SPEAKING, ids=[rule.__name__ for rule, _, _ in SPEAKING])
def test_a_reason_is_one_line_with_cause_number_limit_and_remedy(rule: Any, seen: dict[str, Any], text: str) -> None:
    assert rule(replace(QUIET, **seen)) == text
    assert {rule for rule, _, _ in SPEAKING} == {*rules.CONTENDED, *rules.THROTTLED}


CPUS = frozenset({0, 1})
START = Reading(
    wall_s=100.0, own_s=5.0, cpus=CPUS, busy_s=50.0, steal_s=1.0, thread_times_s={1: (4.0, 0.5)},
    involuntary_switches=3, pressure_cpu_s=2.0, pressure_memory_s=2.0, pressure_io_s=2.0, throttled_periods=4,
    throttled_cpu_s=1.0, frequency_hz=2e9, thermal_throttles=6,
)  # fmt: skip


def after(wall_s: float = 2.0, **rises: Any) -> Reading:
    """``START``, and what came on top of it."""
    return replace(
        START, wall_s=START.wall_s + wall_s, **{name: getattr(START, name) + rise for name, rise in rises.items()}
    )


def test_the_fields_of_a_row() -> None:
    end = after(
        own_s=3.0, busy_s=4.0, steal_s=0.1, involuntary_switches=7, pressure_cpu_s=0.5, pressure_memory_s=0.02,
        pressure_io_s=0.2, throttled_periods=1, throttled_cpu_s=0.01, frequency_hz=1e9,
    )  # fmt: skip
    end = replace(end, thread_times_s={1: (5.5, 0.7), 2: (1.5, 0.6)})
    judged = judge(START, end, threads=2)
    assert judged.fields == {
        "cpu_per_wall": 1.5,
        "other_cpus_busy": 0.5,  # busy less our own
        "steal_cpus": pytest.approx(0.05),
        "run_delay_share": pytest.approx(0.8 / 3.8),
        "involuntary_switches": 7,
        "pressure_cpu_share": pytest.approx(0.25),
        "pressure_memory_share": pytest.approx(0.01),
        "pressure_io_share": pytest.approx(0.1),
        "cgroup_throttled_share": pytest.approx(0.01 / 4),  # of two threads' time
        "cpu_frequency_mean_hz": 2.5e9,
        "thermal_throttles": 0,
    }
    assert judged.status == "contended"
    assert judged.reason.startswith("contended: other processes used 0.50 of 2 CPUs")
    assert judged.missing is None


def test_what_explains_other_things_is_named_first_and_heat_last() -> None:
    everything = after(busy_s=4.0, steal_s=1.0, throttled_cpu_s=1.0, pressure_memory_s=1.0, thermal_throttles=1)
    assert judge(START, everything).reason.startswith("contended: the hypervisor")
    hot = judge(START, after(own_s=2.0, busy_s=2.0, thermal_throttles=1))
    assert (hot.status, hot.reason.split(":")[0]) == ("throttled", "throttled")


@pytest.mark.parametrize(
    ("threads", "own_s", "wanted"),
    [(1, 2.0, 1), (1, 4.0, 2), (1, 3.2, 2), (2, 0.0, 2), (8, 4.0, 8)],
    ids=["one", "more-than-told", "most-of-two", "told-and-idle", "oversubscribed"],
)
def test_it_wants_what_it_was_told_or_seen_to_use(threads: int, own_s: float, wanted: int) -> None:
    assert between(START, after(own_s=own_s), threads).wanted_cpus == wanted


def test_a_stretch_too_short_to_judge_is_unknown_and_says_so() -> None:
    judged = judge(START, after(wall_s=0.19, busy_s=9.0, steal_s=9.0))
    assert judged.fields == dict.fromkeys(SOURCES)
    assert (judged.status, judged.reason) == (None, None)
    assert judged.missing == "all: the timed rounds took less than 0.2 s, too short for the kernel's 10 ms steps"
    assert judge(None, START) == judged


def test_each_field_that_is_none_has_its_reason() -> None:
    judged = judge(Reading(0.0, 0.0), Reading(1.0, 0.5))
    assert {name for name, value in judged.fields.items() if value is not None} == {"cpu_per_wall"}
    assert judged.missing.split("; ") == [f"{name}: {why}" for name, why in SOURCES.items() if name != "cpu_per_wall"]


@pytest.mark.parametrize(
    ("end", "fields"),
    [
        (replace(after(busy_s=4.0), cpus=frozenset({0})), {"other_cpus_busy", "steal_cpus"}),
        (replace(START, wall_s=102.0, throttled_cpu_s=0.5), {"cgroup_throttled_share"}),
        (replace(START, wall_s=102.0, thermal_throttles=5), {"thermal_throttles"}),
        (replace(START, wall_s=102.0, frequency_hz=None), {"cpu_frequency_mean_hz"}),
    ],
    ids=["other-cpus-than-before", "another-group", "a-cpu-went-offline", "no-longer-readable"],
)
def test_what_does_not_fit_together_is_unknown_not_zero(end: Reading, fields: set[str]) -> None:
    end = replace(end, thread_times_s={1: (5.0, 0.5)})
    assert {name for name, value in judge(START, end).fields.items() if value is None} == fields


def test_a_thread_that_ended_takes_its_waiting_with_it_and_a_new_one_starts_from_zero() -> None:
    start = replace(START, thread_times_s={1: (4.0, 0.5), 2: (9.0, 9.0)})
    end = replace(START, wall_s=102.0, thread_times_s={1: (5.0, 0.5), 3: (0.5, 0.5)})
    assert judge(start, end).fields["run_delay_share"] == pytest.approx(0.5 / 2.0)


amounts = st.floats(0, 1000, allow_nan=False)
shares = st.floats(0, 1)
small = st.integers(1, 128)


@st.composite
def stretches(draw: st.DrawFn) -> Stretch:
    cpus = draw(small)
    return Stretch(
        wall_s=draw(st.floats(0.2, 100)), own_cpus=draw(amounts), cpus=cpus, usable_cpus=draw(st.integers(1, cpus)),
        wanted_cpus=draw(small), other_cpus=draw(amounts), steal_cpus=draw(amounts), run_delay_share=draw(shares),
        run_delay_per_wall=draw(amounts), involuntary_switches=draw(st.integers(0)), pressure_cpu_share=draw(shares),
        pressure_memory_share=draw(shares), pressure_io_share=draw(shares), throttled_share=draw(shares),
        throttled_periods=draw(st.integers(0, 999)), thermal_throttles=draw(st.integers(0, 3)),
    )  # fmt: skip


def contended(seen: Stretch) -> bool:
    return any(rule(seen) for rule in rules.CONTENDED)


DISTURBS = (
    "other_cpus", "steal_cpus", "run_delay_share", "run_delay_per_wall", "pressure_memory_share", "throttled_share",
)  # fmt: skip


@given(stretches(), st.sampled_from(DISTURBS), amounts)
def test_more_of_what_disturbs_never_makes_a_row_trusted(seen: Stretch, what: str, more: float) -> None:
    if contended(seen):
        assert contended(replace(seen, **{what: getattr(seen, what) + more}))


@given(stretches())
def test_alone_on_the_machine_nothing_is_contended_however_many_threads_wait(seen: Stretch) -> None:
    alone = replace(seen, other_cpus=0.0, steal_cpus=0.0, throttled_share=0.0, pressure_memory_share=0.0)
    assert not contended(alone)


@given(stretches(), st.sampled_from(sorted(set(Stretch.__dataclass_fields__) - {"wall_s", "own_cpus", "wanted_cpus"})))
def test_not_knowing_something_never_makes_a_row_contended(seen: Stretch, unknown: str) -> None:
    if not contended(seen):
        assert not contended(replace(seen, **{unknown: None}))


@given(st.floats(0.2, 1000), small, *[amounts] * 8, st.integers(0, 99))
def test_shares_are_shares_and_nothing_is_negative(wall_s, threads, own, busy, steal, ran, waited, psi, io, stop, heat):
    end = after(wall_s=wall_s, own_s=own, busy_s=busy, steal_s=steal, pressure_cpu_s=psi, pressure_memory_s=io,
                pressure_io_s=io, throttled_cpu_s=stop, thermal_throttles=heat)  # fmt: skip
    end = replace(end, thread_times_s={1: (4.0 + ran, 0.5 + waited)})
    for name, value in judge(START, end, threads).fields.items():
        assert value is None or value >= 0
        if name.endswith("_share"):
            assert value is None or value <= 1


@given(st.floats(0.25, 100), small, st.floats(0, 2))
def test_a_benchmark_that_has_the_machine_to_itself_is_trusted(wall_s: float, threads: int, own_cpus: float) -> None:
    alone = after(wall_s=wall_s, own_s=own_cpus * wall_s, busy_s=own_cpus * wall_s)
    alone = replace(alone, thread_times_s={1: (4.0 + wall_s, 0.5 + wall_s)})  # its threads wait for each other
    assert judge(START, alone, threads).status is None


DOCS = (Path(__file__).parents[2] / "docs" / "guide" / "trust.md").read_text()


@pytest.mark.parametrize("field", SOURCES)
def test_every_field_is_documented(field: str) -> None:
    assert f"`{field}`" in DOCS


@pytest.mark.parametrize("name", [name for name in vars(rules) if name.startswith(("MOST_", "LEAST_"))])
def test_every_limit_is_documented_as_it_is(name: str) -> None:
    assert f"`{name}` {getattr(rules, name):g}" in DOCS


def test_the_limits_of_drift_are_documented_as_they_are() -> None:
    assert f"{MOST_COMPUTE_CHANGE_REL * 100:g} % (`MOST_COMPUTE_CHANGE_REL`)" in DOCS
    assert f"{MOST_MEMORY_CHANGE_REL * 100:g} % (`MOST_MEMORY_CHANGE_REL`)" in DOCS


def test_what_is_too_short_to_be_judged_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailgate.machine.trust.stretch.read", lambda: Reading(wall_s=1.0, own_s=0.0))
    monkeypatch.setattr("tailgate.machine.trust.stretch.time", SimpleNamespace(perf_counter=lambda: 10.0))
    assert read_since(Reading(wall_s=9.9, own_s=0.0)) is None
    assert read_since(Reading(wall_s=9.8 - 1e-9, own_s=0.0)) == Reading(wall_s=1.0, own_s=0.0)
    assert "less than 0.2 s" in (judge(Reading(wall_s=9.9, own_s=0.0), None).missing or "")
