"""Inside a side: which files it has run so far, so that the parent finds out whose code that was."""

from __future__ import annotations

import contextlib
import platform
import site
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

MAPS = Path("/proc/self/maps")
NATIVE = (".so", ".pyd", ".dylib")


PLUGINS = pytest.StashKey[frozenset[str]]()
"""What pytest and its plug-ins had imported before any file of the project."""


def before_the_project() -> frozenset[str]:
    """Names of modules, and of mapped libraries."""
    return frozenset((*sys.modules, *(Path(file).name for file in native_files(MAPS))))


def imported(tests: Iterable[str], plugins: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Plain values, for the way home.

    Args:
        tests: names of the modules that hold the tests.
        plugins: :data:`PLUGINS`.

    Returns:
        ``modules``: the file of each by its name; ``versions``: what top-level modules say of themselves; ``native``:
        libraries that the process has mapped, where the system tells (Linux); ``tests``: names of the test modules;
        ``plugins``: as given; ``packages``: the interpreter's own folders of installed packages; ``interpreter``: what
        it is.
    """
    modules, versions = {}, {}
    for name, module in list(sys.modules.items()):
        known = getattr(module, "__dict__", {})  # not by getattr: a lazy module would import something to answer
        if isinstance(file := known.get("__file__"), str):
            modules[name] = file
        if "." not in name and isinstance(version := known.get("__version__"), str):
            versions[name] = version
    folders = [*site.getsitepackages(), site.getusersitepackages()]
    return {
        "modules": modules,
        "versions": versions,
        "native": native_files(MAPS),
        "tests": sorted({"conftest", *tests}),
        "plugins": sorted(plugins),
        "packages": [folder for folder in folders if Path(folder).is_dir()],
        "interpreter": [str(Path(sys.executable).resolve()), sys.version, platform.platform()],
    }


def native_files(maps: Path) -> list[str]:
    """Libraries in the memory map of a process: executable, of a file with a library's ending."""
    found = set()
    with contextlib.suppress(OSError):
        for line in maps.read_text(errors="surrogateescape").splitlines():
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and "x" in fields[1] and any(ending in fields[5] for ending in NATIVE):
                found.add(fields[5].removesuffix(" (deleted)"))
    return sorted(found)
