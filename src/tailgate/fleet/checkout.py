"""The checkout as one archive: what a node needs to measure it, without caches, environments and saved runs.

With git it is every tracked file as it is now and every new one that git does not ignore; without, every file outside
of hidden folders. Ray's ``working_dir`` would carry it too, but Ray's own worker would then import from it, jobs of the
same content would write into one folder, and 512 MiB are its limit (docs/guide/fleet.md).
"""

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tailgate.errors import TailgateError, one_line
from tailgate.machine import git

CACHES = frozenset({
    "__pycache__", ".git", ".hg", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox", ".venv",
    ".benchmarks", "node_modules",
})  # fmt: skip
"""Folders that are left out wherever they lie, ignored by git or not."""
GIT_S = 60.0
MOST_BYTES = 4 * 2**30
"""More would not fit beside other things in memory and in Ray's object store, and is data rather than code."""
QUICK_COMPRESSION = 1
"""A tenth of the time of gzip's default, for archives a fifth larger."""


@dataclass(frozen=True)
class Checkout:
    """A project, ready to be sent."""

    archive: bytes
    """A gzipped tar."""
    digest: str
    """12 hex digits of names, modes and contents."""
    files: int
    cwd: str
    """Where the session runs, relative to its top."""


def packed(here: Path, left_out: Path) -> Checkout:
    """The project around ``here``; nothing below the folder ``left_out``, which has the saved runs.

    Raises:
        TailgateError: a file cannot be read, there is none, or they are too large.
    """
    top = _top(here)
    digest = hashlib.sha256()
    stream = io.BytesIO()
    count = 0
    try:
        paths = sorted(_chosen(top, left_out.resolve()))
        _check_size(paths)
        with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=QUICK_COMPRESSION) as archive:
            for path in paths:
                name = path.relative_to(top).as_posix()
                digest.update(_described(name, path))
                archive.add(path, name, recursive=False)
                count += 1
    except OSError as error:
        raise TailgateError(f"fleet run: the checkout cannot be read ({one_line(error)})") from error
    if not count:
        raise TailgateError(f"fleet run: no file in {top}: run it inside the project that is to be measured")
    return Checkout(stream.getvalue(), digest.hexdigest()[:12], count, here.relative_to(top).as_posix())


def unpack(archive: bytes, folder: Path) -> None:
    """Unpack it into an empty folder.

    Raises:
        OSError, tarfile.TarError: the disk is full, or the archive is not whole.
    """
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        opened.extractall(folder, filter="tar")


def _top(here: Path) -> Path:
    """The repository's, where there is one."""
    try:
        done = git.run(("-C", str(here)), "rev-parse", "--show-toplevel", timeout_s=GIT_S)
    except (OSError, subprocess.SubprocessError):
        return here
    found = os.fsdecode(done.stdout.removesuffix(b"\n"))
    return Path(found) if done.returncode == 0 and found else here


def _chosen(top: Path, left_out: Path) -> Iterator[Path]:
    for path in _listed_by_git(top) or _walked(top):
        inside = path.relative_to(top).parts[:-1]
        if CACHES.isdisjoint(inside) and path.suffix != ".pyc" and not path.is_relative_to(left_out):
            yield path


def _listed_by_git(top: Path) -> list[Path]:
    """Empty where git does not answer."""
    names: set[bytes] = set()
    for arguments in (("--cached", "--recurse-submodules"), ("--others", "--exclude-standard")):
        try:
            done = git.run(("-C", str(top)), "ls-files", "-z", *arguments, timeout_s=GIT_S)
        except (OSError, subprocess.SubprocessError):
            return []
        if done.returncode != 0:
            return []
        names.update(done.stdout.split(b"\0"))
    paths = (top / os.fsdecode(name) for name in names if name)
    return [path for path in paths if path.is_symlink() or path.is_file()]  # tracked, and removed since, is neither


def _walked(top: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(top):
        here = Path(place)
        folders[:] = [one for one in folders if not one.startswith(".") and not (here / one / "pyvenv.cfg").exists()]
        paths: Iterable[Path] = (here / name for name in (*names, *folders))
        yield from (path for path in paths if path.is_symlink() or path.is_file())


def _check_size(paths: Iterable[Path]) -> None:
    sizes = {path: path.lstat().st_size for path in paths}
    if sum(sizes.values()) > MOST_BYTES:
        largest = max(sizes, key=lambda path: sizes[path])
        raise TailgateError(
            f"fleet run: the checkout has {sum(sizes.values()) / 2**30:.1f} GiB (allowed: {MOST_BYTES / 2**30:.0f}); "
            f"let git ignore what belongs on the machines, such as {largest} ({sizes[largest] / 2**20:.0f} MiB)"
        )


def _described(name: str, path: Path) -> bytes:
    if path.is_symlink():
        return f"{name}\0link\0{path.readlink()}\0".encode(errors="surrogateescape")
    with path.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    return f"{name}\0{bool(path.stat().st_mode & 0o100)}\0{content}\0".encode(errors="surrogateescape")
