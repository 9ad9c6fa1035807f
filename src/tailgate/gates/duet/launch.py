"""How a side is started: its interpreter, its arguments, what it imports, where it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

import tailgate
from tailgate.errors import TailgateError
from tailgate.gates.duet.base import Base, checked_python
from tailgate.gates.duet.worktree import Worktree

START = (
    "import gc, json, sys; sys.usual_gc_threshold = gc.get_threshold(); gc.set_threshold(1000000); "
    "before, own, after, argv = json.loads(sys.argv[1]); "
    "sys.path[:] = before + [entry for entry in sys.path if own and entry] + after; sys.argv[:] = argv; "
    "import pytest; sys.exit(pytest.main(argv[1:]))"
)
"""Without the empty entry that ``-c`` puts first: it would import the working folder's code in place of what the
interpreter has installed. Until the tests are collected no garbage is, which makes that 15 % shorter."""
VALUED = frozenset({
    "--duet", "--duet-pairs", "--duet-seconds", "--duet-build", "--gate-min-effect",
    "--gate-metrics", "--report", "--junitxml", "--junit-xml", "--csv",
})  # fmt: skip
"""The session's own options, which a side must not see: as ``--name=value`` or in two words."""
SWITCHES = frozenset({
    "--gate", "--explain", "--lf", "--last-failed", "--ff", "--failed-first", "--sw", "--stepwise", "--resume",
})  # fmt: skip


@dataclass(frozen=True)
class Launch:
    """Everything a supervisor needs to start a side."""

    name: str
    """``base`` or ``head``."""
    command: tuple[str, ...]
    cwd: str
    variables: dict[str, str]


def launches(config: pytest.Config, base: Base, worktree: Worktree | None, instrument: Path) -> tuple[Launch, Launch]:
    """Base's and head's.

    ``instrument``: a folder with nothing in it but ``tailgate``: both sides are measured by this one.

    Raises:
        TailgateError: the other Python cannot run a side.
    """
    here = Path(config.invocation_params.dir)
    python = checked_python(base.python, here) if base.python else None
    interpreter = (sys.executable, *subprocess._args_from_interpreter_flags())  # type: ignore[attr-defined]
    path = [str(instrument), *(entry or str(here) for entry in sys.path)]
    ours = session_arguments(config)
    head = Launch("head", _command(interpreter, path, ours), str(here), {})
    arguments = session_arguments(config, worktree)
    if worktree is not None:
        path = [str(instrument), *(_mapped_entry(entry, worktree) for entry in path[1:])]
    if python is not None:
        interpreter = (python,)
        path = [path[0], *(entry for entry in path[1:] if _is_projects(entry, worktree, config))]
    # A checkout of base comes before what the other Python has installed; head's own folder comes after it.
    split = len(path) if worktree is not None or python is None else 1
    folder = worktree.mapped(here) if worktree else here
    variables = {}
    if worktree is not None and "PYTHONPATH" in os.environ:
        entries = os.environ["PYTHONPATH"].split(os.pathsep)
        variables["PYTHONPATH"] = os.pathsep.join(_mapped_entry(entry, worktree) for entry in entries)
    return (
        Launch(
            "base",
            _command(interpreter, path[:split], [*arguments, *base.options], path[split:], own=python is not None),
            str(folder if folder.is_dir() else worktree.folder if worktree else here),
            variables,
        ),
        head,
    )


def session_arguments(config: pytest.Config, worktree: Worktree | None = None) -> list[str]:
    """The session's command line without what is the session's alone; node ids become their files.

    A node id that one side does not have would end that side; the parent picks the benchmarks by name anyway.
    ``worktree``: absolute paths become the checkout's, and paths that it does not have are left out.

    Raises:
        TailgateError: the checkout has none of the paths.
    """
    here = Path(config.invocation_params.dir)
    places = set(map(str, config.option.file_or_dir))
    kept: list[str] = []
    absent: list[str] = []
    skip = False
    for text in map(str, config.invocation_params.args):
        name, equals, value = text.partition("=")
        if skip or name in VALUED or text in SWITCHES:
            skip = not skip and name in VALUED and not equals
        elif text in places:
            path = text.partition("::")[0]
            there = _mapped_entry(path, worktree)
            exists = worktree is None or worktree.mapped(here / path).exists()
            (kept if exists else absent).append(there)
        elif text.startswith("-") and equals:
            kept.append(f"{name}={_mapped_entry(value, worktree)}")
        else:
            kept.append(_mapped_entry(text, worktree))
    if absent and len(absent) == len(places):
        raise TailgateError(f"--duet: base does not have {', '.join(absent)}; there is nothing to compare with")
    return [*kept, f"--rootdir={_mapped_entry(str(config.rootpath), worktree)}"]


def _command(
    interpreter: tuple[str, ...],
    path: list[str],
    arguments: list[str],
    after: list[str] | None = None,
    *,
    own: bool = False,
) -> tuple[str, ...]:
    """``own``: what the interpreter would import from by itself stays, between ``path`` and ``after``."""
    # Before anything else on the command line: a -p that comes later is loaded later.
    argv = ["pytest", "-p", "tailgate.plugin", *arguments]
    return (*interpreter, "-c", START, json.dumps([path, own, after or [], argv]))


def _mapped_entry(entry: str, worktree: Worktree | None) -> str:
    """An absolute path of the repository becomes the checkout's, unless it belongs to this environment."""
    if worktree is None or not Path(entry).is_absolute():
        return entry
    if any(Path(entry).is_relative_to(folder) for folder in environments(worktree.top)):
        return entry
    return str(worktree.mapped(Path(entry)))


def _is_projects(entry: str, worktree: Worktree | None, config: pytest.Config) -> bool:
    """Not a part of this environment, which another Python must not see."""
    path = Path(entry)
    roots = [config.rootpath, *([worktree.folder] if worktree else [])]
    return any(
        path.is_relative_to(root) and not any(path.is_relative_to(folder) for folder in environments(root))
        for root in roots
    )


def environments(top: Path) -> tuple[str, ...]:
    """Folders of installed packages: this Python's, and virtual environments that lie in the project.

    A Python whose folder holds the project (``/usr``, and ``/usr/src/app`` in a container; ``python -m venv .``) does
    not make the project a part of it.
    """
    places = sysconfig.get_paths()
    libraries = [places[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    inside = [str(file.parent) for file in [*top.glob("*/pyvenv.cfg"), *top.glob(".tox/*/pyvenv.cfg")]]
    return (
        *(folder for folder in (sys.prefix, sys.base_prefix, *libraries) if not top.is_relative_to(folder)),
        *inside,
    )


def instrument_folder(folder: Path) -> Path:
    """A folder to import ``tailgate`` from, and nothing else: our package, whatever a side's environment has."""
    place = folder / "instrument"
    place.mkdir()
    (place / "tailgate").symlink_to(Path(tailgate.__file__).resolve().parent, target_is_directory=True)
    return place
