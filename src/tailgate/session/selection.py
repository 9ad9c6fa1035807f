"""Which tests a session's command chooses, in a form that a saved run can hold and a later session can ask."""

import fnmatch
import importlib.util
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from tailgate.seams import pytest_names

CHOOSE_NOTHING = {
    "assertmode", "basetemp", "cacheclear", "cacheshow", "capture", "code_highlight", "collect_in_virtualenv",
    "collectonly", "color", "confcutdir", "continue_on_collection_errors", "debug", "deselect",
    "disable_plugin_autoload", "disable_warnings", "doctest_continue_on_failure", "doctest_ignore_import_errors",
    "doctestglob", "doctestmodules", "doctestreport", "durations", "durations_min", "failedfirst", "fold_skipped",
    "force_short_summary", "fulltrace", "help", "ignore", "ignore_glob", "importmode", "junitprefix",
    "keepduplicates", "keyword", "last_failed_no_failures", "markers", "markexpr", "max_warnings", "maxfail",
    "newfirst", "no_header", "no_summary", "pastebin", "plugins", "pyargs", "pythonwarnings", "reportchars",
    "rootdir", "runxfail", "setuponly", "setupplan", "setupshow", "show_fixtures_per_test", "showcapture",
    "showfixtures", "showlocals", "stepwise", "stepwise_reset", "stepwise_skip", "strict", "strict_config",
    "strict_markers", "tbstyle", "trace", "traceconfig", "usepdb", "usepdb_cls", "verbose", "version", "xfail_tb",
    "xmlpath",
}  # fmt: skip
"""pytest's own options that choose no benchmarks, or that :class:`Selection` has a field for."""
QUIET_PREFIXES = (
    "benchmark_", "tailgate_", "hypothesis_", "log_", "logger_", "cov", "no_cov", "randomly_", "timeout", "reruns",
)  # fmt: skip
"""How the names of options begin that say how to measure or what to show, not which tests to run."""
LISTS = ("arguments", "deselect", "ignore", "ignore_glob")
QUIET_INI = ("benchmark_", "tailgate_", "log_", "junit_", "cache_dir", "console_output_style")


@dataclass(frozen=True)
class Selection:
    """Paths are relative to the root folder where they lie in it, as the names of tests are."""

    arguments: tuple[str, ...] = (".",)
    """``benchmarks``, ``test_a.py::test_b``."""
    keyword: str = ""
    markers: str = ""
    deselect: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    ignore_glob: tuple[str, ...] = ()
    last_failed: bool = False
    stepwise: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the project's own options, and those of its plug-ins, were set to: any of them may choose tests."""

    def covers(self, fullname: str, path: str | None = None) -> bool:
        """Whether a benchmark of this name would have been collected; ``path``: where its file really lies.

        Markers and the project's options are not asked: they cannot be of a test that no longer exists.
        """
        named, names = split(fullname)
        file = PurePosixPath(path or named)
        if any(fullname.startswith(prefix) for prefix in self.deselect):
            return False
        if any(file.is_relative_to(ignored) for ignored in self.ignore):
            return False
        if any(fnmatch.fnmatch(str(file), glob) for glob in self.ignore_glob):
            return False
        if self.keyword and not pytest_names.keyword_rule(self.keyword)(_in_any([*Path(named).parts, *names])):
            return False
        return any(_within(file, names, argument) for argument in self.arguments)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        found = dict(vars(self))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def selection_of(config: pytest.Config) -> Selection:
    """The selection of the running session."""
    option, root, here = config.option, config.rootpath, config.invocation_params.dir
    return Selection(
        arguments=tuple(_argument(config, argument) for argument in config.args),
        keyword=(option.keyword or "").strip(),
        markers=(option.markexpr or "").strip(),
        deselect=tuple(option.deselect or ()),
        ignore=tuple(place_of(here / ignored, root) for ignored in option.ignore or ()),
        ignore_glob=tuple(Path(os.path.relpath(here / glob, root)).as_posix() for glob in option.ignore_glob or ()),
        last_failed=bool(getattr(option, "lf", False)),
        stepwise=bool(getattr(option, "stepwise", False)),
        options=_other_options(config),
    )


def selection_from_json(saved: Any) -> Selection | None:
    """Back from :meth:`Selection.as_json`; ``None`` where it is not from there."""
    if not isinstance(saved, dict):
        return None
    texts, flags = ("keyword", "markers"), ("last_failed", "stepwise")
    fits = (
        all(_is_texts(saved.get(name)) for name in LISTS)
        and all(isinstance(saved.get(name), str) for name in texts)
        and all(isinstance(saved.get(name), bool) for name in flags)
        and isinstance(saved.get("options"), dict)
    )
    if not fits:
        return None
    try:
        pytest_names.keyword_rule(saved["keyword"] or "x")
    except SyntaxError:
        return None
    found: dict[str, Any] = {name: saved[name] for name in (*texts, *flags, "options")}
    found.update((name, tuple(saved[name])) for name in LISTS)
    return Selection(**found)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def narrowed(config: pytest.Config, selection: Selection) -> list[str]:
    """What of the command chose some of the project's tests, as typed; what its ini file always says does not count.

    A folder is no choice of tests: a run of it is whole, and speaks for what lies below it.
    """
    standing = [str(word) for word in config.getini("addopts")]
    flags: list[tuple[str, Iterable[str]]] = [
        ("-k", [selection.keyword]),
        ("-m", [selection.markers]),
        ("--deselect", selection.deselect),
        ("--ignore", config.option.ignore or ()),
        ("--ignore-glob", config.option.ignore_glob or ()),
    ]
    found = [
        f"{flag} {value!r}"
        for flag, values in flags
        for value in values
        if value and not any(word in {value, f"{flag}={value}"} for word in standing)
    ]
    found += [flag for flag, used in (("--lf", selection.last_failed), ("--sw", selection.stepwise)) if used]
    chosen = [one for one in selection.arguments if "::" in one or (config.rootpath / one).is_file()]
    if chosen:
        found.append(f"only {chosen[0]}" + (f" and {len(chosen) - 1} more" if chosen[1:] else ""))
    return found


def is_of(fullname: str, nodeid: str) -> bool:
    """Whether a row is of this test: it has its name, or, from a copy of the fixture, its name and more behind it."""
    more = fullname.removeprefix(nodeid) if fullname.startswith(nodeid) else None
    return more is not None and (not more or not (more[0].isalnum() or more[0] in "_["))


def split(nodeid: str) -> tuple[str, list[str]]:
    """``a/test_b.py::C::test_d[x::y]`` -> its path, and the names inside of it."""
    base, bracket, parameters = nodeid.partition("[")
    path, *names = base.split("::")
    if names:
        names[-1] += bracket + parameters
    return path, names


def place_of(path: Path, root: Path) -> str:
    """The real place relative to the root folder, ``.`` for all of it; absolute elsewhere."""
    real, base = path.resolve(), root.resolve()
    if base.is_relative_to(real):
        return "."
    return (real.relative_to(base) if real.is_relative_to(base) else real).as_posix()


def _in_any(names: Iterable[str]) -> Callable[[str], bool]:
    """Whether a word of ``-k`` is a part of any name on the way to a test."""
    lowered = [name.lower() for name in names]
    return lambda word: any(word.lower() in one for one in lowered)


def _argument(config: pytest.Config, argument: str) -> str:
    path, names = split(argument)
    place = config.invocation_params.dir / path
    if config.option.pyargs and not place.exists():
        place = _module_place(path) or place
    return "::".join([place_of(place, config.rootpath), *names])


def _module_place(name: str) -> Path | None:
    """Where ``--pyargs`` finds a module or a package."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if found is None:
        return None
    places = list(found.submodule_search_locations or ()) or [found.origin or ""]
    return Path(places[0])


def _within(file: PurePosixPath, names: list[str], argument: str) -> bool:
    """Whether a test is below a positional argument; a test's name stands for all of its parameters."""
    place, wanted = split(argument)
    if not wanted:
        return place == "." or file.is_relative_to(place)
    if file != PurePosixPath(place) or len(names) < len(wanted) or names[: len(wanted) - 1] != wanted[:-1]:
        return False
    name = names[len(wanted) - 1]
    return name == wanted[-1] or name.partition("[")[0] == wanted[-1]


def _other_options(config: pytest.Config) -> dict[str, Any]:
    """Typed, or set in the ini file's ``addopts``: pytest tells no one whose an option is, so its own are listed.

    What a plug-in sets by itself, such as a seed, is not what anybody asked for.
    """
    typed = [*config.invocation_params.args, *config.getini("addopts"), *os.environ.get("PYTEST_ADDOPTS", "").split()]
    words = [str(word) for word in typed]
    found = {}
    for name, flags in pytest_names.options_of(config):
        value = getattr(config.option, name, None)
        if name in CHOOSE_NOTHING or name.startswith(QUIET_PREFIXES):
            continue
        if not any(_is_flag(word, flag) for word in words for flag in flags):
            continue
        if name == "override_ini":
            value = [one for one in value or () if not str(one).startswith(QUIET_INI)]
            if not value:
                continue
        found[name] = _as_text(value)
    return found


def _is_flag(word: str, flag: str) -> bool:
    """``--models a``, ``--models=a``; ``-n2``."""
    return word == flag or word.startswith(f"{flag}=") or (flag[:2] != "--" and word.startswith(flag))


def _as_text(value: Any) -> Any:
    """The value where JSON can hold it; otherwise the name of its type, for its text may hold an address."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_as_text(one) for one in value]
    return type(value).__name__
