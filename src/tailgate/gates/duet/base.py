"""What the base side is: a git ref, ``python:PATH``, ``option:--OPTION``, or a ref and a Python together."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tailgate.errors import TailgateError

NEEDED = ("numpy", "psutil", "pytest", "pytest_benchmark", "scipy")
"""What the instrument imports inside of a side."""
PROBE_S = 120.0


@dataclass(frozen=True)
class Base:
    """Parsed, not yet checked."""

    ref: str | None = None
    python: str | None = None
    options: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """For people."""
        parts = [self.ref, self.python and f"python {self.python}", " ".join(self.options)]
        return ", ".join(part for part in parts if part)


def parsed(text: str) -> Base:
    """``main``, ``python:PATH``, ``option:--threads=1``, ``main,python:PATH``.

    Raises:
        TailgateError: one line with what is allowed.
    """
    if text.startswith("option:"):
        try:
            options = tuple(shlex.split(text.removeprefix("option:")))
        except ValueError as error:
            raise TailgateError(f"--duet: {text!r} cannot be read as options ({error})") from None
        if not options or not options[0].startswith("-"):
            raise TailgateError(f"--duet: {text!r} names no option; write --duet=option:--threads=1")
        return Base(options=options)
    ref, python = None, None
    for part in text.split(","):
        if part.startswith("python:") and python is None:
            python = part.removeprefix("python:")
        elif part.startswith(("python:", "option:", "-")) or not part or ref is not None:
            raise TailgateError(
                f"--duet: {text!r} is not a side (allowed: GIT_REF, python:PATH, GIT_REF,python:PATH, option:--OPTION)"
            )
        else:
            ref = part
    return Base(ref, python)


def checked_python(text: str, folder: Path) -> str:
    """The path of an interpreter that can run a side.

    Raises:
        TailgateError: it is not there, or lacks a package; with the command that helps.
    """
    found = shutil.which(os.fspath(folder / Path(text).expanduser())) or shutil.which(text)
    if found is None:
        raise TailgateError(f"--duet: python:{text} is not there or cannot be run (looked in {folder} and in PATH)")
    program = f"import importlib.util as u; print(' '.join(n for n in {NEEDED!r} if u.find_spec(n) is None))"
    try:
        done = subprocess.run(
            [found, "-c", program], capture_output=True, text=True, timeout=PROBE_S, check=True, cwd=folder
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TailgateError(f"--duet: python:{text} does not run as a Python ({type(error).__name__})") from None
    lacking = done.stdout.split()
    if lacking:
        names = " ".join(name.replace("_", "-") for name in lacking)
        raise TailgateError(f"--duet: python:{text} lacks {', '.join(lacking)}: {found} -m pip install {names}")
    # Not resolved: a virtual environment's interpreter is a link, and its place is its meaning.
    return os.path.abspath(found)  # noqa: PTH100
