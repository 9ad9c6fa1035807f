"""One session a node: a lock that every fleet run of the machine respects, in whatever Ray cluster and job it runs.

A node is the CPUs it may use. So the lock is one ``flock`` for each of them: two nodes on one machine that share no CPU
measure at once, two that share one wait for each other. The kernel gives a lock up when the last process that holds its
file has ended, however it ended.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path("/tmp/tailgate-fleet-locks")
"""Not in TMPDIR, which may differ between the jobs of one machine."""
UNKNOWN = "another fleet run"
MOST_SHOWN = 200
"""Characters of what a holder says of itself."""


class NodeLock:
    """The lock on ``cpus``; nothing is locked before :meth:`try_acquire`."""

    def __init__(self, cpus: Iterable[int], holder: str, folder: Path = FOLDER) -> None:
        """``holder``: what others that wait for it are told."""
        self._cpus = sorted(cpus)
        self._holder = holder
        self._folder = folder
        self.descriptors: list[int] = []
        """Open and locked; whoever inherits one keeps the lock."""

    def try_acquire(self) -> str | None:
        """Lock all CPUs or none.

        Returns:
            ``None``: they are locked; else who has one of them.

        Raises:
            OSError: the lock's folder or files cannot be opened.
        """
        _make_shared(self._folder)
        for cpu in self._cpus:
            descriptor = _opened(self._folder / f"cpu-{cpu}.lock")
            self.descriptors.append(descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                said = _said(descriptor)
                self.release()
                return said
        for descriptor in self.descriptors:
            _say(descriptor, self._holder)
        return None

    def release(self) -> None:
        """Give up what this process holds."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = []


def holder_of(cpus: Iterable[int], folder: Path = FOLDER) -> str | None:
    """Who has one of the CPUs; ``None``: they are free. It locks them for a moment."""
    lock = NodeLock(cpus, "", folder)
    with contextlib.suppress(OSError):
        found = lock.try_acquire()
        lock.release()
        return found
    return None


def _make_shared(folder: Path) -> None:
    """Make it for all users of the machine; the sticky bit keeps each from removing another's files."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o1777)


def _opened(file: Path) -> int:
    """Open it without O_CREAT where it is there: Linux refuses that for another user's file in a shared folder."""
    while True:
        for flags in (os.O_RDWR, os.O_RDONLY):
            with contextlib.suppress(FileNotFoundError, PermissionError):
                return os.open(file, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            os.fchmod(descriptor, 0o644)  # whatever the umask
            return descriptor
        if file.exists() and not os.access(file, os.R_OK):
            raise PermissionError(f"{file} cannot be read")


def _say(descriptor: int, holder: str) -> None:
    with contextlib.suppress(OSError):  # another user's file: locked all the same
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode("utf8", "replace"), 0)


def _said(descriptor: int) -> str:
    with contextlib.suppress(OSError):
        return os.pread(descriptor, MOST_SHOWN, 0).decode("utf8", "replace") or UNKNOWN
    return UNKNOWN
