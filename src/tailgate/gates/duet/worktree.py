"""A checkout of another git ref, removed whatever happens.

The one who removes it is a process of its own that waits for the end of its standard input: it comes when the
session closes it, ends, or is killed. By what was written there it knows the processes of a command that still runs.
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
ENDING_S = 10.0
"""How long a command that is stopped may take to tidy up."""
CLEANER = """
import contextlib, json, os, shutil, signal, subprocess, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
git, folder = json.loads(sys.argv[1])
group = int((sys.stdin.buffer.read().split() or [0])[-1])
if group:
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}

def remove():
    listing = [*git, "worktree", "list", "--porcelain", "-z"]
    told = subprocess.run(listing, **{**quiet, "stdout": subprocess.PIPE}).stdout
    listed = [one[9:] for one in os.fsdecode(told).split(chr(0)) if one.startswith("worktree ")]
    for one in listed:
        if one.startswith(folder + os.sep):
            subprocess.run([*git, "worktree", "remove", "--force", "--force", one], **quiet)

remove()
shutil.rmtree(folder, ignore_errors=True)
remove()
"""
"""All worktrees in the folder: a duet in the checkout may have been killed before it could remove its own. Not ``git
worktree prune``: it forgets the user's own worktrees, too, such as those on a disk that is not there."""


class Worktree:
    """One checkout; ``close`` removes it.

    Raises:
        TailgateError: no git, no repository, no such ref, or git cannot check it out.
    """

    def __init__(self, inside: Path, ref: str, *, option: str = "--duet", name: str = "base") -> None:
        """``option``: at the beginning of its errors; ``name``: the last part of the checkout's path."""
        self._option = option
        self.place, self.top = repository(inside, option)
        self.commit = resolve(self.place, self.top, ref, option)
        # Resolved: git and pytest write down real paths. Hidden: where the temporary folder lies in the repository,
        # pytest must not find base's tests among head's.
        folder = Path(tempfile.mkdtemp(prefix=".tailgate-duet-")).resolve()
        self.folder = folder / name
        # Before there is anything to remove.
        job = json.dumps([git.command(self.place), str(folder)])
        self._cleaner = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", CLEANER, job],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            env=git.environment(),
        )
        try:
            what = f"{self.top} has no checkout"
            self._git("worktree", "add", "--detach", str(self.folder), self.commit, what=what)
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
        path = os.pathsep.join([str(Path(interpreter).parent), os.environ.get("PATH", os.defpath)])
        code, output = self.run(command, PATH=path)
        if code != 0:
            said = [line.strip() for line in output.splitlines() if line.strip()]
            last = f"; its last output: {said[-1]}" if said else ""
            raise TailgateError(f"--duet-build: {command!r} ended with exit code {code}{last}")

    def run(self, command: str | Sequence[str], folder: Path | None = None, **variables: str) -> tuple[int, str]:
        """Run a command in the checkout; text is a shell's. It ends with this process, however that ends.

        Args:
            command: what to run.
            folder: where; the checkout's top.
            variables: added to the environment.

        Returns:
            Its exit code, and what it wrote to both of its outputs.
        """
        running = subprocess.Popen(
            command, shell=isinstance(command, str), cwd=folder or self.folder, env={**git.environment(), **variables},
            stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        self._tell_cleaner(running.pid)
        try:
            output, _ = running.communicate()
        except BaseException:  # Ctrl-C
            _end(running)
            raise
        finally:
            self._tell_cleaner(0)
        return running.returncode, output

    def _tell_cleaner(self, group: int) -> None:
        """Which process group is to end with this session; 0: none."""
        assert self._cleaner.stdin is not None
        self._cleaner.stdin.write(f"{group}\n".encode())
        self._cleaner.stdin.flush()

    def changed(self) -> tuple[str, ...]:
        """Files that differ between the commit and the working tree, relative to its top; new ones among them."""
        differing = self._git("diff", "--name-only", "--no-renames", "-z", self.commit, what=str(self.top))
        new = self._git("ls-files", "--others", "--exclude-standard", "-z", what=str(self.top))
        return tuple(sorted({name for name in f"{differing}\0{new}".split("\0") if name}))

    def tracked(self) -> frozenset[str]:
        """Files of the working tree that git has, relative to its top."""
        return frozenset(self._git("ls-files", "-z", what=str(self.top)).split("\0"))

    def mapped(self, path: Path) -> Path:
        """The same place in the checkout; a path outside of the repository stays."""
        resolved = Path(os.path.realpath(path))
        if not resolved.is_relative_to(self.top) or resolved.is_relative_to(self.folder):
            return path
        return self.folder / resolved.relative_to(self.top)

    def _git(self, *arguments: str, what: str) -> str:
        return ask(self.place, *arguments, what=what, option=self._option)


def repository(inside: Path, option: str = "--duet") -> tuple[tuple[str, ...], Path]:
    """How git is told where a folder belongs, and the top of its working tree.

    Raises:
        TailgateError: no git, or no working tree there.
    """
    try:
        place = git.place_of(inside, GIT_S)
    except (OSError, subprocess.TimeoutExpired):
        place = ("-C", str(inside))  # the next command says so
    what = f"{inside} is not inside a git repository"
    top = Path(ask(place, "rev-parse", "--show-toplevel", what=what, option=option))
    return ("-C", str(top), *place[2:]), top


def resolve(place: Sequence[str], top: Path, ref: str, option: str = "--duet") -> str:
    """The commit behind a ref.

    Raises:
        TailgateError: one line with the nearest branch or tag.
    """
    wanted = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    try:
        return ask(place, *wanted, what="", option=option)
    except TailgateError:
        refs = ask(place, "for-each-ref", "--format=%(refname:short)", what=f"{top} has no refs", option=option)
        match = nearest(ref, refs.split())
        hint = f"; did you mean {match!r}?" if match else ""
        deeper = "; this clone is shallow: fetch more with git fetch --unshallow" if is_shallow(place) else ""
        raise TailgateError(f"{option}: git knows no commit {ref!r} in {top}{hint}{deeper}") from None


def is_shallow(place: Sequence[str]) -> bool:
    """Whether the clone lacks older commits."""
    return ask(place, "rev-parse", "--is-shallow-repository", what="git") == "true"


def ask(place: Sequence[str], *arguments: str, what: str, option: str = "--duet") -> str:
    """What a git command prints.

    Raises:
        TailgateError: it failed: ``option``, ``what`` and git's last line; or there is no git.
    """
    try:
        done = git.run(place, *arguments, timeout_s=GIT_S)
    except OSError:
        raise TailgateError(f"{option}: a git ref needs git, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise TailgateError(f"{option}: git {arguments[0]} did not end within {GIT_S:g} s") from None
    if done.returncode != 0:
        said = (os.fsdecode(done.stderr).strip().splitlines() or [""])[-1]
        raise TailgateError(f"{option}: {what}: {said}")
    return os.fsdecode(done.stdout).strip()


def _end(running: subprocess.Popen[str]) -> None:
    """Ask a command and its children to end, and see to it."""
    try:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            os.killpg(running.pid, signal.SIGTERM)
            running.communicate(timeout=ENDING_S)
    finally:
        with contextlib.suppress(OSError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
