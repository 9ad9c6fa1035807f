"""The files that one side of a duet has imported: those of its checkout, and those of packages from elsewhere."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tailgate.gates.duet.imported import NATIVE

INSTALLED = frozenset({"site-packages", "dist-packages"})
INSTRUMENT = frozenset(
    {"tailgate", "pytest", "_pytest", "pluggy", "iniconfig", "pytest_benchmark", "cpuinfo", "packaging", "pygments"}
)
"""What makes a session, and is not what it measures."""


@dataclass(frozen=True)
class Files:
    """What one side has imported; ``home``: its checkout."""

    report: Mapping[str, Any]
    home: Path
    environments: tuple[str, ...]
    own: dict[str, dict[str, str]] = field(default_factory=dict)
    """Files of the checkout by module, by top-level name."""
    elsewhere: dict[str, dict[str, str]] = field(default_factory=dict)
    """The same of what is neither in the checkout nor a part of Python or of the session."""
    native: dict[str, str] = field(default_factory=dict)
    """Libraries of the checkout, relative, by that without the ending: it names the interpreter."""

    def __post_init__(self) -> None:
        for module, file in self.report["modules"].items():
            name = module.partition(".")[0]
            if name not in INSTRUMENT and name not in sys.stdlib_module_names:
                place = self.within(self.home, file)
                found = self.elsewhere if place is None else self.own
                found.setdefault(name, {})[module] = file if place is None else str(self.home / place)
        for file in [*self.report["native"], *self.report["modules"].values()]:
            place = self.within(self.home, file) if any(ending in Path(file).name for ending in NATIVE) else None
            if place is not None:
                self.native[str(place.with_name(place.name.partition(".")[0]))] = str(place)

    def within(self, folder: Path, file: str) -> Path | None:
        """The place of a file in a checkout, as named or by where it really lies; ``None``: it is not the checkout's.

        That of an environment in a checkout is not.
        """
        for path in (Path(file), Path(os.path.realpath(file))):
            if path.is_relative_to(folder) and not INSTALLED.intersection(path.relative_to(folder).parts):
                mine = (one for one in self.environments if not folder.is_relative_to(one))
                if not any(path.is_relative_to(one) for one in mine):
                    return path.relative_to(folder)
        return None

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
            "version": self.report["versions"].get(name),
            "folder": self.folder(name) if name in self.elsewhere else None,
            "files": len(self.of(name)),
            "sha256": self.digest(name),
        }


def tail_of(module: str, file: str) -> Path:
    """The place of a module's file in the folder that it was imported from."""
    parents = module.split(".") if Path(file).name.startswith("__init__.") else module.split(".")[:-1]
    return Path(*parents, Path(file).name)


@cache
def _sha256(file: str) -> str:
    """SHA-256 of a file; of its name where it cannot be read (a module in a zip file)."""
    try:
        content = Path(file).read_bytes()
    except OSError:
        content = file.encode(errors="surrogateescape")
    return hashlib.sha256(content).hexdigest()
