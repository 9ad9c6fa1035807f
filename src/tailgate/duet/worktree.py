"""A checkout of another git ref, removed whatever happens.

The one who removes it is a process of its own that waits for the end of its standard input: it comes when the
session closes it, ends, or is killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tailgate.errors import TailgateError, nearest

GIT_S = 300.0
JANITOR = """
import os, shutil, signal, subprocess, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
top, folder = sys.argv[1:]
sys.stdin.buffer.read()
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
subprocess.run(["git", "-C", top, "worktree", "remove", "--force", "--force", os.path.join(folder, "base")], **quiet)
shutil.rmtree(folder, ignore_errors=True)
subprocess.run(["git", "-C", top, "worktree", "prune"], **quiet)
"""


class Worktree:
    """One; ``close`` it.

    Raises:
        TailgateError: no git, no repository, no such ref, or git cannot check it out.
    """

    def __init__(self, inside: Path, ref: str) -> None:
        self.top = Path(_git(inside, "rev-parse", "--show-toplevel", what="is not inside a git repository"))
        self.commit = resolve(self.top, ref)
        # Resolved: git and pytest write down real paths. Hidden: where the temporary folder lies in the repository,
        # pytest must not find base's tests among head's.
        folder = Path(tempfile.mkdtemp(prefix=".tailgate-duet-")).resolve()
        self.folder = folder / "base"
        # Before there is anything to remove.
        self._janitor = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", JANITOR, str(self.top), str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )
        try:
            _git(self.top, "worktree", "add", "--detach", str(self.folder), self.commit, what="has no checkout")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """It is gone when this returns."""
        if self._janitor.stdin is not None and not self._janitor.stdin.closed:
            self._janitor.stdin.close()
            self._janitor.wait()

    def mapped(self, path: Path) -> Path:
        """The same place in the checkout; outside of the repository, the path itself."""
        resolved = Path(os.path.realpath(path))
        if not resolved.is_relative_to(self.top) or resolved.is_relative_to(self.folder):
            return path
        return self.folder / resolved.relative_to(self.top)


def resolve(top: Path, ref: str) -> str:
    """The commit behind a ref.

    Raises:
        TailgateError: one line with the nearest branch or tag.
    """
    try:
        return _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", what="")
    except TailgateError:
        known = _git(top, "for-each-ref", "--format=%(refname:short)", what="has no refs").split()
        match = nearest(ref, known)
        hint = f"; did you mean {match!r}?" if match else ""
        shallow = _git(top, "rev-parse", "--is-shallow-repository", what="") == "true"
        deeper = "; this clone is shallow: fetch more with git fetch --unshallow" if shallow else ""
        raise TailgateError(f"--duet: git knows no commit {ref!r} in {top}{hint}{deeper}") from None


def _git(folder: Path, *arguments: str, what: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=GIT_S, check=False
        )
    except FileNotFoundError:
        raise TailgateError("--duet: a git ref needs git, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise TailgateError(f"--duet: git {arguments[0]} did not end within {GIT_S:g} s") from None
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        raise TailgateError(f"--duet: {folder} {what}: {said}")
    return done.stdout.strip()
