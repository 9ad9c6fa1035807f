"""The installed packages that a commit asks for, where the commits of a bisect ask for different ones.

An environment is a virtual one over the user's own: what a commit pins otherwise is installed there, and everything
else is imported from the user's. It is cached by the content of the files that it was made from.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tailgate.errors import TailgateError
from tailgate.files import cache_folder
from tailgate.gates.bisection.commits import DIGITS, Ends
from tailgate.gates.duet.worktree import Worktree, ask
from tailgate.text import printable

PROJECT = "pyproject.toml"
LOCKS = frozenset({"uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"})
PINS = re.compile(r"(requirements/)?[^/]*(lock|constraint)[^/]*\.txt")
REQUIREMENTS = re.compile(r"[^/]*requirements[^/]*\.txt|requirements/[^/]+\.txt")
PIN = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*==\s*([\w.!+]+)", re.MULTILINE)
READY = "ready"
"""A file in an environment that is whole."""
OUTER = """
import json, sys
from importlib.metadata import distributions
folders = [entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
print(json.dumps([folders, [one.metadata["Name"] or "" for one in distributions()]]))
"""
"""What the user's own environment has: its folders of packages, and their names."""


class CannotMeasureError(Exception):
    """Why one commit cannot be measured; the bisect goes on without it."""


class Environments:
    """Makes and finds them."""

    def __init__(
        self, ends: Ends, worktree: Worktree, python: str, say: Callable[[str], None], *, install: bool
    ) -> None:
        """``python``: the user's own interpreter; ``install``: else all commits are measured with its packages."""
        self._ends = ends
        self._worktree = worktree
        self._outer = python
        self._say = say
        self._install = install
        names = self._log("--name-only", "-z")
        self.changed = [name for name in sorted(set(names.split("\0"))) if dependencies(name) and self._differs(name)]
        """Files that say what is to be installed, and that say something else at some commit."""

    def note(self, commit: str) -> str | None:
        """What differs from the good side and was not installed."""
        if self._install:
            return None
        others = [name for name in self.changed if self._content(commit, name) != self._content(self._ends.good, name)]
        what = ", ".join(map(printable, others))
        return f"{commit[:DIGITS]}: {what} changed, and was not installed (--no-install)" if others else None

    def python(self, commit: str, check_out: Callable[[str], None]) -> str | None:
        """The interpreter of a commit's environment, made now where there is none; ``None``: the user's own.

        Raises:
            CannotMeasureError: what it asks for cannot be installed.
        """
        if not self._install or not self.changed:
            return None
        contents = {name: self._content(commit, name) for name in self.changed}
        key = hashlib.sha256(json.dumps([self._outer, contents], sort_keys=True).encode()).hexdigest()[:12]
        folder = cache_folder() / "environments" / key
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            if not (folder / READY).exists():
                shutil.rmtree(folder, ignore_errors=True)
                check_out(commit)
                self._say(f"installing what {commit[:DIGITS]} asks for ({', '.join(self.changed)}) into {folder}")
                self._make(folder, contents)
                (folder / READY).touch()
        return str(folder / "bin" / "python")

    def _make(self, folder: Path, contents: dict[str, str | None]) -> None:
        """The checkout stands at the commit: a requirements file may name others beside it."""
        folders, installed = json.loads(self._run([self._outer, "-c", OUTER]).splitlines()[-1])
        here = {canonical(name) for name in installed}
        without = ["--without-pip"] if "pip" in here else []  # the user's own does it, and is there at once
        self._run([self._outer, "-m", "venv", *without, str(folder)])
        python = str(folder / "bin" / "python")
        (packages,) = folder.glob("lib/python*/site-packages")
        # addsitedir, unlike a plain path, obeys the path files there: editable installations are imported, too.
        lines = [f"import site; site.addsitedir({name!r})" for name in folders]
        (packages / "the_users_own.pth").write_text("\n".join(lines) + "\n", encoding="utf8")
        wanted: list[str] = []
        pinned: dict[str, str] = {}
        for name, content in contents.items():
            if content is None:
                continue
            if name == PROJECT:
                wanted += json.loads(content)
            elif dependencies(name) == "requirements":
                wanted += ["-r", name]
            else:
                pinned |= pins(name, content)
        chosen = [f"{name}=={version}" for name, version in pinned.items() if canonical(name) in here]
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        if wanted:
            self._run([*install, *wanted])
        if chosen:  # a lock names packages of every platform and purpose: those count that are here
            self._run([*install, "--no-deps", *chosen])

    def _run(self, command: Sequence[str]) -> str:
        code, output = self._worktree.run(command)
        if code != 0:
            said = [line.strip() for line in output.splitlines() if line.strip()]
            raise CannotMeasureError(
                f"what it asks for cannot be installed ({(said or ['no output'])[-1]}); "
                "--no-install measures all commits in this environment"
            )
        return output

    def _differs(self, name: str) -> bool:
        """Whether some commit says another thing than the good one; many changes of a project's file do not."""
        at_good = self._content(self._ends.good, name)
        return any(self._content(commit, name) != at_good for commit in self._log("--format=%H", "--", name).split())

    def _content(self, commit: str, name: str) -> str | None:
        """What a file asks for; ``None``: it is not there."""
        try:
            text = self._git("show", f"{commit}:{name}")
        except TailgateError:
            return None
        return project_dependencies(text) if name == PROJECT else text

    def _log(self, *arguments: str) -> str:
        walk = ["--first-parent"] if self._ends.first_parent else []
        first = ["--format="] if "--name-only" in arguments else []
        return self._git("log", "-m", *walk, f"{self._ends.good}..{self._ends.bad}", *first, *arguments)

    def _git(self, *arguments: str) -> str:
        return ask(self._ends.place, *arguments, what=f"git {arguments[0]}", option="bisect")


def dependencies(name: str) -> str | None:
    """What kind of file says what is to be installed: ``requirements``, ``pins``; ``None``: it says nothing of it."""
    if name in LOCKS or PINS.fullmatch(name):
        return "pins"
    return "requirements" if name == PROJECT or REQUIREMENTS.fullmatch(name) else None


def project_dependencies(text: str) -> str:
    """The dependencies of a ``pyproject.toml``, as JSON; of one that is broken none."""
    try:
        project = tomllib.loads(text).get("project")
    except ValueError:
        project = None
    found = project.get("dependencies") if isinstance(project, dict) else None
    return json.dumps([one for one in found if isinstance(one, str)] if isinstance(found, list) else [])


def pins(name: str, text: str) -> dict[str, str]:
    """Versions by name; a name with several, one for each platform, is left out."""
    if name not in LOCKS:
        found = PIN.findall(text)
    else:
        try:
            content: dict[str, Any] = tomllib.loads(text)
        except ValueError:
            return {}
        entries = content.get("package") or content.get("packages") or []
        found = [(one["name"], one["version"]) for one in entries if {"name", "version"} <= one.keys()]
    versions: dict[str, set[str]] = {}
    for package, version in found:
        versions.setdefault(canonical(package), set()).add(version)
    return {package: those.pop() for package, those in versions.items() if len(those) == 1}


def canonical(name: str) -> str:
    """A package's name as installers compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
