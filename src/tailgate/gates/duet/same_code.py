"""Which code did each side run? A comparison of two that was one of code with itself must not pass.

The sides tell which files they have imported (:mod:`tailgate.gates.duet.imported`); here they are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tailgate.gates.duet.imported import NATIVE
from tailgate.gates.duet.packages import anything_differs, differing, two_environments
from tailgate.gates.duet.side_files import Files, tail_of

BUILT_FROM = (
    ".asm", ".c", ".cc", ".cpp", ".cu", ".cuh", ".cxx", ".f", ".f90", ".f95", ".for", ".go", ".h", ".hh", ".hpp",
    ".hxx", ".i", ".inc", ".ipp", ".m", ".mm", ".pxd", ".pxi", ".pyx", ".rs", ".s", ".tpp", ".zig",
)  # fmt: skip
"""A change of one of these changes a library, and no file that Python imports."""


@dataclass(frozen=True)
class Ran:
    """What the sides of one benchmark ran."""

    packages: dict[str, Any]
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
        """Judge from the reports of both sides."""
        sides = (Files(base, self.base or self.head, self.environments), Files(head, self.head, self.environments))
        names = sorted({name for side in sides for name in side.own} | self._installed_projects(sides))
        packages = {
            side: {name: files.summary(name) for name in names if files.of(name)}
            for side, files in zip(("base", "head"), sides, strict=True)
        }
        if self.base is None:
            reason = _python_reason(*sides)
            return Ran(packages, reason, None if reason else self._note(names, *sides))
        reason = (
            _from_heads_checkout(sides[0], self.head)
            or self._installed_once(names, sides)
            or self._native_reason(*sides)
        )
        if reason:
            return Ran(packages, reason)
        return Ran(packages, note=self._note(names, *sides))

    def _note(self, names: Sequence[str], base: Files, head: Files) -> str | None:
        """What a reader could take for a difference of the project's code, and what is none."""
        same = all(base.digest(name) == head.digest(name) for name in names)
        environments = self.base is None or two_environments(base, head)
        others = differing(base, head, names) if environments else None
        if others:
            project = "the project's files are the same, and " if same else ""
            return f"{project}other packages ran: {others}"
        if not same:
            return self._native_note(base, head)
        if environments and anything_differs(base, head):
            return "the project's files are the same"
        return "nothing that either side imported differs"

    def _installed_projects(self, sides: Sequence[Files]) -> set[str]:
        """Top-level names of the project's that a side has imported from elsewhere: an installation of it."""
        return {name for side in sides for name in side.elsewhere if self._folder_of(name, side)}

    def _folder_of(self, name: str, side: Files) -> str | None:
        """The folder or file of an installed package in the project, relative; ``None``: it is not the project's.

        It may lie in any folder that is no package itself: what lies in one is a copy of somebody else's code.
        """
        modules = side.elsewhere[name]
        for module, file in {name: modules[name]}.items() if name in modules else modules.items():
            tail = tail_of(module, file)
            for path in self._by_name.get(tail.name, ()):
                place = path.parents[len(tail.parts) - 1] if len(path.parts) >= len(tail.parts) else None
                if place is not None and path == place / tail and not self._is_package(place):
                    return str(place / tail.parts[0])
        return None

    def _is_package(self, place: Path) -> bool:
        return place != Path() and place / "__init__.py" in self._paths

    @cached_property
    def _paths(self) -> frozenset[Path]:
        return frozenset(Path(name) for name in (*self.tracked, *self.changed))

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in sorted(self._paths):
            found.setdefault(path.name, []).append(path)
        return found

    def _installed_once(self, names: Sequence[str], sides: tuple[Files, Files]) -> str | None:
        base, head = sides
        for name in names:
            if name not in head.elsewhere or name not in base.elsewhere or base.digest(name) != head.digest(name):
                continue
            folder = self._folder_of(name, head) or self._folder_of(name, base) or name
            within = [
                file for file in self.changed if file == folder or Path(file).is_relative_to(folder)
                or file.lower().endswith(BUILT_FROM)
            ]  # fmt: skip
            if within:
                version = head.report["versions"].get(name)
                return (
                    f"both sides imported {name}{f' {version}' if version else ''} from {head.folder(name)}, an "
                    f"installation, though {within[0]} differs: both ran the same code; install the project editable "
                    "(pip install -e .), or compare environments with --duet=python:PATH"
                )
        return None

    def _native_reason(self, base: Files, head: Files) -> str | None:
        """Why a compiled part that git does not have and one side alone loaded makes the sides incomparable."""
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


def _from_heads_checkout(base: Files, head: Path) -> str | None:
    files = {module: file for modules in base.elsewhere.values() for module, file in modules.items()}
    found = sorted(module for module, file in files.items() if base.within(head, file) is not None)
    if not found:
        return None
    return (
        f"base imported {found[0]}{' and more' if len(found) > 1 else ''} from head's checkout "
        "(an editable installation): both sides ran the same code; install the project another way, or "
        "compare environments with --duet=python:PATH"
    )


def _python_reason(base: Files, head: Files) -> str | None:
    tests = base.report["tests"]
    for name in sorted(base.own):
        modules = {module: file for module, file in base.own[name].items() if not _is_test(module, tests)}
        beside = any(one.partition(".")[0] == name for one in tests)  # the tests are in this package
        for folder in base.report["packages"] if modules else ():
            if _is_installed(name, modules if beside else {}, Path(folder)):
                return (
                    f"base imported {name} from {base.home}, as head did, though its Python has {name} installed in "
                    f"{folder}: both sides ran the same code; "
                ) + (
                    "the tests lie in that package, and so it is the checkout's: compare with --duet=GIT_REF, or keep "
                    "the benchmarks outside of it" if beside
                    else "start pytest with --import-mode=append, or in another folder"
                )  # fmt: skip
    if base.report["interpreter"] == head.report["interpreter"] and not anything_differs(base, head):
        return "both sides ran the same code: every module that they imported is the same in both environments"
    return None


def _is_test(module: str, tests: Sequence[str]) -> bool:
    """Whether it is a test's, or a package only on the way to one."""
    return module.rpartition(".")[2] == "conftest" or any(f"{one}.".startswith(f"{module}.") for one in tests)


def _is_installed(name: str, modules: Mapping[str, str], folder: Path) -> bool:
    """Whether a folder of installed packages has one of these modules, or, where none are given, one of that name."""
    if modules:
        return any((folder / tail_of(module, file)).exists() for module, file in modules.items())
    installed = (folder / name).is_dir() or (folder / f"{name}.py").exists()
    return installed or any(any(folder.glob(f"{name}.*{ending}")) for ending in NATIVE)
