"""The instrument's options, each also an ini value ``tailgate_<name>``, checked before anything is measured."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tailgate import option_values
from tailgate.errors import TailgateError
from tailgate.gates.limits import session_limits
from tailgate.load_options import requested_load
from tailgate.machine.fingerprint import DEFAULT_PACKAGES
from tailgate.processes.tenants.options import CPU_MODES as TENANT_CPUS
from tailgate.processes.tenants.options import MOST_TENANTS
from tailgate.processes.tenants.options import refuse as refuse_with_tenants
from tailgate.results.limits import METRICS
from tailgate.seams.option_conflicts import add_option, give_way
from tailgate.session.protocol import PRESETS, Protocol
from tailgate.session.settings import (
    DEFAULT_PAIRS,
    DEFAULT_TIMEOUT_S,
    LEAST_PAIRS,
    LONGEST_DUET_S,
    MOST_PAIRS,
    Settings,
)


@dataclass(frozen=True)
class Option:
    """One command-line option and its ini value of the same meaning."""

    name: str
    metavar: str
    help: str
    is_switch: bool = False
    """Takes no value."""

    @property
    def flag(self) -> str:
        """As typed on the command line."""
        return f"--{self.name}"

    @property
    def ini(self) -> str:
        """As written in ``pytest.ini``."""
        return f"tailgate_{self.name.replace('-', '_')}"

    @property
    def dest(self) -> str:
        """Where pytest keeps the command line's value."""
        return self.ini


OPTIONS = (
    Option("protocol", "NAME", f"warm-up and rounds: {', '.join(PRESETS)}; default: pytest-benchmark's own"),
    Option("rounds", "N", "timed rounds, whatever the protocol says"),
    Option("warmup-rounds", "N", "untimed calls before them, whatever the protocol says"),
    Option("order", "ORDER", "given, or random (seeded) over all selected benchmarks"),
    Option("seed", "N", "for --order=random, and for the arrivals of --load; default 0"),
    Option("meters", "NAMES", "what to sample beside time, comma-separated, or none"),
    Option("csv", "FILE", "append one tidy row to FILE as each benchmark ends"),
    Option("isolation", "WAY", "process: each benchmark in a fresh process; none (default): as pytest-benchmark"),
    Option("processes", "N", "fresh processes per benchmark, interleaved over the whole selection; default 1"),
    Option("tenants", "N", "copies of each benchmark that run at once, each in a process of its own; default 1"),
    Option("tenant-cpus", "WAY", "split: the CPUs are divided among the tenants; shared (default): all may use all"),
    Option("load", "ARRIVALS", "open loop: poisson:RATE, constant:RATE, gamma:RATE:CV (requests/s, or 70%), or peak"),
    Option("load-limit", "LIMIT", "what responses must keep, such as p99=50ms; of median, p95, p99, p999"),
    Option("load-seconds", "SECONDS", "how long a schedule is; default 10, and at least 368 requests for a P99"),
    Option("servers", "N", "processes that serve one queue; default 1"),
    Option("start-method", "WAY", "fork, spawn, or auto (default: fork where that is safe)"),
    Option("benchmark-timeout", "SECONDS", "end a benchmark's process after this long, set-up included; default 600"),
    Option("journal", "FILE", "where finished benchmarks are written at once; default: in pytest's cache"),
    Option("resume", "", "go on from the journal: what is finished and still comparable is not measured again", True),
    Option("gate", "", "judge against the runs of --benchmark-compare=NAME: a regression fails its test", True),
    Option("gate-min-effect", "P%", "a change below this never fails; default 2%, of P99 never less than 10%"),
    Option("gate-metrics", "NAMES", f"which of {', '.join(METRICS)} can fail; default median"),
    Option("duet", "SIDE", "judge against another side, alive at once: GIT_REF, python:PATH or option:--OPTION"),
    Option("duet-pairs", "N", "pairs of fresh processes of a duet; default 8: looks after 4, 5, 6, 8, 12 and 20"),
    Option(
        "duet-seconds",
        "SECONDS",
        "how long a duet measures each side in one pair; default: 0.25 to 0.5, by the call's length",
    ),
    Option("duet-build", "COMMAND", "a shell command that builds base in its checkout, such as compiled extensions"),
    Option(
        "explain",
        "",
        "after a duet time both sides' operators, also of benchmarks that did not fail",
        True,
    ),
    Option("report", "FILE", "write the results and the verdicts to FILE.html, or as Markdown to FILE.md"),
    Option("progress", "on|off", "a line for each benchmark: which, how many of how many, time left"),
)
"""Every option of the instrument: its name, the kind of its value, and its help."""
INI_ONLY = (
    Option("baselines", "DIR", "save runs with raw rounds in DIR/<fingerprint>/, relative to the ini file"),
    Option("fingerprint_packages", "NAMES", "packages whose versions belong to the fingerprint"),
    Option("reports", "PACKAGE", "a package of the project whose modules give tailgate report more formats"),
    Option("commands", "MODULE", "a module of the project whose add(commands) gives the tailgate command more of them"),
)
ORDERS = ("given", "random")
ISOLATIONS = ("process", "none")
START_METHODS = ("auto", "fork", "spawn")
EXPLANATIONS = ("failed", "on", "off")
NEED_ISOLATION = ("processes", "tenants", "tenant-cpus", "start-method", "benchmark-timeout", "journal", "resume")
MOST_PROCESSES = 1000
REPORTS = (".html", ".md")
LONGEST_S = 1_000_000.0
"""Eleven days."""
MOST_ROUNDS = 10_000_000
"""Each is kept: eight bytes here, twenty in the JSON."""


def add_options(parser: pytest.Parser) -> None:
    """Register the options and the ini values."""
    group = parser.getgroup("tailgate", "Tailgate: measurements one can trust (each also an ini value tailgate_NAME)")
    for option in OPTIONS:
        help_text = option.help.replace("%", "%%")
        if option.is_switch:
            add_option(group, option.flag, option.dest, action="store_const", const="on", default=None, help=help_text)
            continue
        add_option(
            group, option.flag, option.dest, metavar=option.metavar, nargs="?", const="", default=None, help=help_text
        )
    give_way(parser, {option.dest for option in OPTIONS})
    for option in (*OPTIONS, *INI_ONLY):
        parser.addini(option.ini, option.help, default=None)


def settings_from(config: pytest.Config) -> Settings:
    """Read and check every value.

    Raises:
        TailgateError: one line that names the wrong value and the allowed ones (exit code 4).
    """

    def given(option: Option) -> str | None:
        value: str | None = config.getoption(option.dest, None)
        return (config.getini(option.ini) or None) if value is None else value

    texts = {option.name: given(option) for option in OPTIONS}
    for name in ("csv", "journal", "report"):
        if texts[name] == "":
            raise TailgateError(f"--{name}: no file named; write --{name}=FILE")
    isolation = option_values.choice("--isolation", option_values.default(texts["isolation"], "none"), ISOLATIONS)
    processes = option_values.integer(
        "--processes", option_values.default(texts["processes"], "1"), least=1, most=MOST_PROCESSES
    )
    tenants = option_values.integer(
        "--tenants", option_values.default(texts["tenants"], "1"), least=1, most=MOST_TENANTS
    )
    tenant_cpus = option_values.choice(
        "--tenant-cpus", option_values.default(texts["tenant-cpus"], "shared"), TENANT_CPUS
    )
    if config.getoption("tailgate_tenant_cpus", None) is not None and texts["tenants"] is None:
        raise TailgateError("--tenant-cpus says how tenants have the CPUs: add --tenants=N")
    if isolation == "none":
        _refuse_without_isolation(config, in_a_duet=texts["duet"] is not None or "TAILGATE_DUET" in os.environ)
        processes = tenants = 1
    timeout_s = option_values.seconds(
        "--benchmark-timeout",
        option_values.default(texts["benchmark-timeout"], str(DEFAULT_TIMEOUT_S)),
        most_s=LONGEST_S,
    )
    protocol = _protocol(texts)
    timed_ones, slow_ones = _meters(texts, protocol)
    typed = slow_ones if config.getoption("tailgate_meters", None) is not None else ()
    refuse_with_tenants(tenants, processes=processes, duet=texts["duet"], profilers=typed)
    if typed:
        _refuse_profilers(slow_ones, isolation, texts["duet"])
    packages = config.getini("tailgate_fingerprint_packages")
    max_time_s = float(getattr(config.option, "benchmark_max_time", 1.0))
    if protocol and not 0 < max_time_s < float("inf"):
        raise TailgateError(f"--benchmark-max-time: {max_time_s:g} is not a duration (allowed: seconds above 0)")
    return Settings(
        protocol=protocol,
        order=option_values.choice("--order", option_values.default(texts["order"], "given"), ORDERS),
        seed=option_values.integer("--seed", option_values.default(texts["seed"], "0"), least=0),
        meters=timed_ones,
        gpu_meters=("nvml",) if protocol and texts["meters"] is None else (),
        profilers=slow_ones,
        csv=Path(texts["csv"]) if texts["csv"] else None,
        isolation=isolation,
        processes=processes,
        tenants=tenants,
        tenant_cpus=tenant_cpus,
        load=requested_load(
            config,
            texts,
            processes=processes,
            tenants=tenants,
            timeout_s=timeout_s if isolation == "process" else None,
        ),
        start_method=option_values.choice(
            "--start-method", option_values.default(texts["start-method"], "auto"), START_METHODS
        ),
        benchmark_timeout_s=timeout_s,
        journal=Path(texts["journal"]) if texts["journal"] else None,
        resume=option_values.choice("--resume", option_values.default(texts["resume"], "off"), ("on", "off")) == "on",
        progress=option_values.choice("--progress", option_values.default(texts["progress"], "off"), ("on", "off"))
        == "on",
        gate=option_values.choice("--gate", option_values.default(texts["gate"], "off"), ("on", "off")) == "on",
        limits=session_limits(texts["gate-min-effect"], texts["gate-metrics"], duet=bool(texts["duet"])),
        duet=_side(texts["duet"]),
        duet_pairs=option_values.integer(
            "--duet-pairs",
            option_values.default(texts["duet-pairs"], str(DEFAULT_PAIRS)),
            least=LEAST_PAIRS,
            most=MOST_PAIRS,
        ),
        duet_s=option_values.optional(
            texts["duet-seconds"], partial(option_values.seconds, "--duet-seconds", most_s=LONGEST_DUET_S)
        ),
        duet_build=_build(config, texts["duet-build"], texts["duet"]),
        explain=_explain(config, texts["explain"], texts),
        report=_report(texts["report"]),
        baselines=_ini_path(config, "tailgate_baselines"),
        fingerprint_packages=tuple(packages.split()) if packages else DEFAULT_PACKAGES,
    )


def _protocol(texts: dict[str, str | None]) -> Protocol | None:
    rounds = option_values.optional(
        texts["rounds"], partial(option_values.integer, "--rounds", least=1, most=MOST_ROUNDS)
    )
    warmup_rounds = option_values.optional(
        texts["warmup-rounds"], partial(option_values.integer, "--warmup-rounds", least=0)
    )
    name = texts["protocol"]
    if name is None and rounds is None and warmup_rounds is None:
        return None
    preset = PRESETS[option_values.choice("--protocol", "quick" if name is None else name, PRESETS)]
    return preset.overridden(rounds, warmup_rounds)


def _side(text: str | None) -> str | None:
    if text == "":
        raise TailgateError("--duet: no side named; write --duet=GIT_REF, --duet=python:PATH or --duet=option:--OPTION")
    return text


def _build(config: pytest.Config, command: str | None, duet: str | None) -> str | None:
    """In an ini file it waits for a duet with a git ref."""
    if command is not None and not command.strip():
        raise TailgateError("--duet-build: no command; write --duet-build='python setup.py build_ext --inplace'")
    if duet is not None and not duet.startswith(("python:", "option:")):
        return command
    if config.getoption("tailgate_duet_build", None) is not None:
        raise TailgateError("--duet-build builds the checkout of a git ref: add --duet=GIT_REF")
    return None


def _explain(config: pytest.Config, text: str | None, texts: dict[str, str | None]) -> str:
    """In an ini file it waits for a duet."""
    if config.getoption("tailgate_explain", None) is not None:
        if texts["duet"] is None:
            raise TailgateError("--explain says which operators a duet's difference is made of: add --duet=SIDE")
        if texts["load"] is not None:
            raise TailgateError(
                "--explain tells where a call's time goes, and --load measures responses: leave one out"
            )
    return option_values.choice("--explain", option_values.default(text, "failed"), EXPLANATIONS)


def _report(text: str | None) -> Path | None:
    if text and not text.endswith(REPORTS):
        raise TailgateError(f"--report: {text!r} has no known ending (allowed: {', '.join(REPORTS)})")
    return Path(text) if text else None


def _refuse_without_isolation(config: pytest.Config, *, in_a_duet: bool) -> None:
    """What only a process of its own can do is not quietly left undone when typed; in an ini file it waits.

    ``in_a_duet``: each side is a process of its own, and obeys the time-out.
    """
    for option in OPTIONS:
        if in_a_duet and option.name == "benchmark-timeout":
            continue
        if option.name in NEED_ISOLATION and config.getoption(option.dest, None) is not None:
            raise TailgateError(f"{option.flag} needs a process for each benchmark: add --isolation=process")


def _meters(texts: dict[str, str | None], protocol: Protocol | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The meters of the timed run, and those with runs of their own.

    A protocol is a wish for a full measurement, so it brings the default meters along.
    """
    wanted = texts["meters"] if texts["meters"] is not None else ("cpu,rss" if protocol else "none")
    if wanted == "none":
        return (), ()
    from tailgate.meters import meters, profilers

    names = option_values.names("--meters", wanted, sorted([*meters(), *profilers()]))
    return tuple(name for name in names if name in meters()), tuple(
        dict.fromkeys(name for name in names if name in profilers())
    )


def _refuse_profilers(names: tuple[str, ...], isolation: str, duet: str | None) -> None:
    """As :func:`_refuse_without_isolation`: typed where it cannot be done, it is a mistake."""
    joined = ",".join(names)
    if duet:
        raise TailgateError(f"--meters={joined} has runs of its own, and a duet has none for it; leave one of them out")
    if isolation == "none":
        raise TailgateError(f"--meters={joined} needs a process for each benchmark: add --isolation=process")


def _ini_path(config: pytest.Config, ini: str) -> Path | None:
    value = config.getini(ini)
    if not value:
        return None
    base = config.inipath.parent if config.inipath else config.rootpath
    return Path(base / value)
