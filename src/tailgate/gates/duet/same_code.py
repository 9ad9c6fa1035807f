"""Which code did each side run? A comparison of two that was one of code with itself must not pass.

The sides tell which files they have imported (:mod:`tailgate.gates.duet.imported`); here they are looked at.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tailgate.gates.duet.imported import NATIVE

INSTALLED = frozenset({"site-packages", "dist-packages"})
INSTRUMENT = frozenset(
    {"tailgate", "pytest", "_pytest", "pluggy", "iniconfig", "pytest_benchmark", "cpuinfo", "packaging", "pygments"}
)
"""What makes a session, and is not what it measures."""
BUILT_FROM = (
    ".c", ".cc", ".cpp", ".cu", ".cxx", ".f", ".f90", ".go", ".h", ".hpp", ".pxd", ".pyx", ".rs", ".zig",
)  # fmt: skip
"""A change of one of these changes a library, and no file that Python imports."""
LAYOUTS = ("", "src", "lib", "python")
"""Where in a project its packages lie."""
PROJECTS = ("pyproject.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True)
class Ran:
    """Of one benchmark."""

    told: dict[str, Any]
    """By side, of each package of the project: version, folder, number of files, SHA-256 of names and contents."""
    reason: str | None = None
    """Why this compares nothing."""
    note: str | None = None


@dataclass(frozen=True)
class Checkouts:
    """Where the sides' own code lies."""

    head: Path
    base: Path | None = None
    """``None``: the same folder, in another Python."""
    environments: tuple[str, ...] = ()
    """Folders of installed packages, wherever they lie."""
    changed: tuple[str, ...] = ()
    """Files that differ between the two, relative."""
    tracked: frozenset[str] = frozenset()
    """Files of head's that git has, relative."""
    built: bool = False
    """Base's was built by ``--duet-build``."""

    def judge(self, base: Mapping[str, Any], head: Mapping[str, Any]) -> Ran:
        """Look at what both sides said."""
        sides = (Files(base, self.base or self.head, self.environments), Files(head, self.head, self.environments))
        names = sorted({name for side in sides for name in side.own} | self._installed_projects(sides))
        told = {
            side: {name: files.summary(name) for name in names if files.of(name)}
            for side, files in zip(("base", "head"), sides, strict=True)
        }
        if self.base is None:
            return Ran(told, _python_reason(*sides))
        reason = (
            _from_heads_checkout(sides[0], self.head)
            or self._installed_once(names, sides)
            or self._native_reason(*sides)
        )
        if reason:
            return Ran(told, reason)
        same = all(told["base"].get(name) == told["head"].get(name) for name in names)
        return Ran(told, note="both sides ran the same code" if same else self._native_note(*sides))

    def _installed_projects(self, sides: Sequence[Files]) -> set[str]:
        """Top-level names of the project's that a side has imported from elsewhere: an installation of it."""
        return {name for side in sides for name in side.elsewhere if self._folder_of(name, side)}

    def _folder_of(self, name: str, side: Files) -> str | None:
        """The folder or file of an installed package in the project, relative; ``None``: it is not the project's."""
        for place in self._places:
            for module, file in side.elsewhere[name].items():
                tail = tail_of(module, file)
                if (self.head / place / tail).is_file():
                    return str(Path(place, tail.parts[0]))
        return None

    @cached_property
    def _places(self) -> tuple[str, ...]:
        """Folders that packages of the project may lie in; a repository may hold several projects."""
        projects = {str(Path(name).parent) for name in self.tracked if name.endswith(PROJECTS)}
        return tuple(str(Path(project, layout)) for project in sorted({"", *projects}) for layout in LAYOUTS)

    def _installed_once(self, names: Sequence[str], sides: tuple[Files, Files]) -> str | None:
        base, head = sides
        for name in names:
            if name not in head.elsewhere or name not in base.elsewhere or base.digest(name) != head.digest(name):
                continue
            folder = self._folder_of(name, head) or self._folder_of(name, base) or name
            within = [
                file for file in self.changed if file == folder or Path(file).is_relative_to(folder)
                or file.endswith(BUILT_FROM)
            ]  # fmt: skip
            if within:
                version = head.told["versions"].get(name)
                return (
                    f"both sides imported {name}{f' {version}' if version else ''} from {head.folder(name)}, an "
                    f"installation, though {within[0]} differs: both ran the same code; install the project editable "
                    "(pip install -e .), or compare environments with --duet=python:PATH"
                )
        return None

    def _native_reason(self, base: Files, head: Files) -> str | None:
        """Of a compiled part that one side alone has, and git does not: it was built there, and not here."""
        lacking = [tail for stem, tail in head.native.items() if stem not in base.native and tail not in self.tracked]
        if lacking and not self.built:
            return (
                f"head loaded {lacking[0]}, which git does not have, and base's checkout lacks it: build it there with "
                "--duet-build='python setup.py build_ext --inplace', or whatever builds yours"
            )
        more = [tail for stem, tail in base.native.items() if stem not in head.native]
        if more and self.built and more[0] not in self.tracked:
            return f"base loaded {more[0]}, which --duet-build made, and head has none: build head's, too"
        return None

    def _native_note(self, base: Files, head: Files) -> str | None:
        lacking = [tail for stem, tail in head.native.items() if stem not in base.native]
        return f"base ran without {lacking[0]}" if lacking else None


@dataclass(frozen=True)
class Files:
    """What one side has imported; ``home``: its checkout."""

    told: Mapping[str, Any]
    home: Path
    environments: tuple[str, ...]
    own: dict[str, dict[str, str]] = field(default_factory=dict)
    """Files of the checkout by module, by top-level name."""
    elsewhere: dict[str, dict[str, str]] = field(default_factory=dict)
    """The same of what is neither in the checkout nor a part of Python or of the session."""
    native: dict[str, str] = field(default_factory=dict)
    """Libraries of the checkout, relative, by that without the ending: it names the interpreter."""

    def __post_init__(self) -> None:
        for module, file in self.told["modules"].items():
            name = module.partition(".")[0]
            if name not in INSTRUMENT and name not in sys.stdlib_module_names:
                found = self.own if self.holds(self.home, file) else self.elsewhere
                found.setdefault(name, {})[module] = file
        for file in [*self.told["native"], *self.told["modules"].values()]:
            if any(ending in Path(file).name for ending in NATIVE) and self.holds(self.home, file):
                place = Path(file).relative_to(self.home)
                self.native[str(place.with_name(place.name.partition(".")[0]))] = str(place)

    def holds(self, folder: Path, file: str) -> bool:
        """Whether a file is a checkout's, and of no environment that lies in it."""
        path = Path(file)
        if not path.is_relative_to(folder) or INSTALLED.intersection(path.parts):
            return False
        return not any(path.is_relative_to(one) for one in self.environments if not folder.is_relative_to(one))

    def of(self, name: str) -> dict[str, str]:
        """Files of a package by module."""
        return {**self.elsewhere.get(name, {}), **self.own.get(name, {})}

    def folder(self, name: str) -> str:
        """What an installed package was imported from."""
        module, file = next(iter(self.elsewhere[name].items()))
        return str(Path(file).parents[len(tail_of(module, file).parts) - 1])

    def digest(self, name: str) -> str:
        """SHA-256 of the modules' names and contents."""
        parts = sorted(f"{module} {_sha256(file)}" for module, file in self.of(name).items())
        return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()

    def summary(self, name: str) -> dict[str, Any]:
        """For the saved run; ``folder``: ``None`` for the side's checkout."""
        return {
            "version": self.told["versions"].get(name),
            "folder": self.folder(name) if name in self.elsewhere else None,
            "files": len(self.of(name)),
            "sha256": self.digest(name),
        }


def tail_of(module: str, file: str) -> Path:
    """The place of a module's file in the folder that it was imported from."""
    parents = module.split(".") if Path(file).name.startswith("__init__.") else module.split(".")[:-1]
    return Path(*parents, Path(file).name)


def _from_heads_checkout(base: Files, head: Path) -> str | None:
    files = {module: file for modules in base.elsewhere.values() for module, file in modules.items()}
    found = sorted(module for module, file in files.items() if base.holds(head, file))
    if not found:
        return None
    return (
        f"base imported {found[0]}{' and more' if len(found) > 1 else ''} from head's checkout "
        "(an editable installation): both sides ran the same code; install the project another way, or "
        "compare environments with --duet=python:PATH"
    )


def _python_reason(base: Files, head: Files) -> str | None:
    for name in sorted(base.own.keys() - set(base.told["tests"])):
        for folder in base.told["packages"]:
            installed = (Path(folder) / name).is_dir() or (Path(folder) / f"{name}.py").exists()
            if installed or any(any(Path(folder).glob(f"{name}.*{ending}")) for ending in NATIVE):
                return (
                    f"base imported {name} from {base.home}, as head did, though its Python has {name} installed in "
                    f"{folder}: both sides ran the same code; start pytest with --import-mode=append, or in another "
                    "folder"
                )
    if base.told["interpreter"] == head.told["interpreter"] and not _differs(base, head):
        return "both sides ran the same code: every module that they imported is the same in both environments"
    return None


def _differs(base: Files, head: Files) -> bool:
    files = [{**one.told["modules"], **{Path(file).name: file for file in one.told["native"]}} for one in (base, head)]
    both = [{name: file for name, file in one.items() if name.partition(".")[0] not in INSTRUMENT} for one in files]
    if both[0].keys() != both[1].keys():
        return True
    return any(not _equal(file, both[1][name]) for name, file in both[0].items())


def _equal(one: str, other: str) -> bool:
    try:
        return one == other or os.path.samefile(one, other) or filecmp.cmp(one, other, shallow=False)  # noqa: PTH121
    except OSError:
        return False


@cache
def _sha256(file: str) -> str:
    """Of a source that cannot be read (a module in a zip file), its name's."""
    try:
        content = Path(file).read_bytes()
    except OSError:
        content = file.encode(errors="surrogateescape")
    return hashlib.sha256(content).hexdigest()
