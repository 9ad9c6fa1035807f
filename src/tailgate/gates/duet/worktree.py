"""A checkout of another git ref, removed whatever happens.

The one who removes it is a process of its own that waits for the end of its standard input: it comes when the
session closes it, ends, or is killed. By what was written there it knows the processes of a build that still runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tailgate.errors import TailgateError, nearest
from tailgate.machine import git

GIT_S = 300.0
CLEANER = """
import contextlib, json, os, shutil, signal, subprocess, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
git, folder, checkout = json.loads(sys.argv[1])
group = int((sys.stdin.buffer.read().split() or [0])[-1])
if group:
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
remove = [*git, "worktree", "remove", "--force", "--force", checkout]
subprocess.run(remove, **quiet)
shutil.rmtree(folder, ignore_errors=True)
subprocess.run(remove, **quiet)
"""
"""Not ``git worktree prune``: it forgets the user's own worktrees, too, such as those on a disk that is not there."""


class Worktree:
    """One checkout; ``close`` removes it.

    Raises:
        TailgateError: no git, no repository, no such ref, or git cannot check it out.
    """

    def __init__(self, inside: Path, ref: str) -> None:
        place = _place(inside)
        self.top = Path(_git(place, "rev-parse", "--show-toplevel", what=f"{inside} is not inside a git repository"))
        self._place = ("-C", str(self.top), *place[2:])
        self.commit = resolve(self._place, self.top, ref)
        # Resolved: git and pytest write down real paths. Hidden: where the temporary folder lies in the repository,
        # pytest must not find base's tests among head's.
        folder = Path(tempfile.mkdtemp(prefix=".tailgate-duet-")).resolve()
        self.folder = folder / "base"
        # Before there is anything to remove.
        job = json.dumps([git.command(self._place), str(folder), str(self.folder)])
        self._cleaner = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", CLEANER, job],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            env=git.environment(),
        )
        try:
            what = f"{self.top} has no checkout"
            _git(self._place, "worktree", "add", "--detach", str(self.folder), self.commit, what=what)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the checkout and wait until it is gone."""
        if self._cleaner.stdin is not None and not self._cleaner.stdin.closed:
            self._cleaner.stdin.close()
            self._cleaner.wait()

    def build(self, command: str, interpreter: str) -> None:
        """Run a shell command in the checkout, with ``python`` and ``pip`` of base's environment first in ``PATH``.

        Raises:
            TailgateError: it failed; with the last line of what it wrote.
        """
        environment = git.environment()
        environment["PATH"] = os.pathsep.join([str(Path(interpreter).parent), environment.get("PATH", os.defpath)])
        building = subprocess.Popen(
            command, shell=True, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        self._tell_cleaner(building.pid)
        try:
            output, _ = building.communicate()
        except BaseException:  # Ctrl-C
            with contextlib.suppress(OSError):
                os.killpg(building.pid, signal.SIGKILL)
            building.wait()
            raise
        finally:
            self._tell_cleaner(0)
        if building.returncode != 0:
            said = [line.strip() for line in output.splitlines() if line.strip()]
            last = f"; its last output: {said[-1]}" if said else ""
            raise TailgateError(f"--duet-build: {command!r} ended with exit code {building.returncode}{last}")

    def _tell_cleaner(self, group: int) -> None:
        """Which process group is to end with this session; 0: none."""
        assert self._cleaner.stdin is not None
        self._cleaner.stdin.write(f"{group}\n".encode())
        self._cleaner.stdin.flush()

    def changed(self) -> tuple[str, ...]:
        """Files that differ between the commit and the working tree, relative to its top; new ones among them."""
        differing = _git(self._place, "diff", "--name-only", "--no-renames", "-z", self.commit, what=str(self.top))
        new = _git(self._place, "ls-files", "--others", "--exclude-standard", "-z", what=str(self.top))
        return tuple(sorted({name for name in f"{differing}\0{new}".split("\0") if name}))

    def tracked(self) -> frozenset[str]:
        """Files of the working tree that git has, relative to its top."""
        return frozenset(_git(self._place, "ls-files", "-z", what=str(self.top)).split("\0"))

    def mapped(self, path: Path) -> Path:
        """The same place in the checkout; a path outside of the repository stays."""
        resolved = Path(os.path.realpath(path))
        if not resolved.is_relative_to(self.top) or resolved.is_relative_to(self.folder):
            return path
        return self.folder / resolved.relative_to(self.top)


def resolve(place: Sequence[str], top: Path, ref: str) -> str:
    """The commit behind a ref.

    Raises:
        TailgateError: one line with the nearest branch or tag.
    """
    try:
        return _git(place, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", what="")
    except TailgateError:
        known = _git(place, "for-each-ref", "--format=%(refname:short)", what=f"{top} has no refs").split()
        match = nearest(ref, known)
        hint = f"; did you mean {match!r}?" if match else ""
        shallow = _git(place, "rev-parse", "--is-shallow-repository", what=str(top)) == "true"
        deeper = "; this clone is shallow: fetch more with git fetch --unshallow" if shallow else ""
        raise TailgateError(f"--duet: git knows no commit {ref!r} in {top}{hint}{deeper}") from None


def _place(inside: Path) -> tuple[str, ...]:
    try:
        return git.place_of(inside, GIT_S)
    except (OSError, subprocess.TimeoutExpired):
        return ("-C", str(inside))  # the next command says so


def _git(place: Sequence[str], *arguments: str, what: str) -> str:
    try:
        done = git.run(place, *arguments, timeout_s=GIT_S)
    except FileNotFoundError:
        raise TailgateError("--duet: a git ref needs git, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise TailgateError(f"--duet: git {arguments[0]} did not end within {GIT_S:g} s") from None
    if done.returncode != 0:
        said = (os.fsdecode(done.stderr).strip().splitlines() or [""])[-1]
        raise TailgateError(f"--duet: {what}: {said}")
    return os.fsdecode(done.stdout).strip()
