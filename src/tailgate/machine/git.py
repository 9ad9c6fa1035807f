"""Git, asked so that nothing of the user's is touched: which repository is meant, where, and without hooks.

A git hook is started with variables such as ``GIT_INDEX_FILE`` and ``GIT_DIR``: a git command that inherits them writes
into the commit that is being made. So no command of ours sees them, and no process of a duet does.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

LISTED_BY_GIT_2_39 = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_OBJECT_DIRECTORY GIT_DIR "
    "GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_NO_REPLACE_OBJECTS GIT_REPLACE_REF_BASE "
    "GIT_PREFIX GIT_INTERNAL_SUPER_PREFIX GIT_SHALLOW_FILE GIT_COMMON_DIR"
)
QUIETLY = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
"""A command that only reads leaves the index as it is, its cached times included, and never asks for a password."""
WITHOUT_HOOKS = (
    "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "diff.autoRefreshIndex=false",
    "-c", "submodule.recurse=false", "-c", "maintenance.auto=false", "-c", "gc.auto=0",
)  # fmt: skip
"""Neither the user's hooks nor git's own housekeeping runs because we look at, or check out, a commit."""


@cache
def local_variables() -> frozenset[str]:
    """What ties a process to one repository, as ``git rev-parse --local-env-vars`` lists it.

    Of an older git's list, and where there is no git, what git 2.39 lists.
    """
    known = frozenset(LISTED_BY_GIT_2_39.split())
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, timeout=20, check=True
        )
        return known.union(done.stdout.split())
    return known


def environment() -> dict[str, str]:
    """This process's, without what ties it to a repository."""
    left_out = local_variables()
    return {
        name: value
        for name, value in os.environ.items()
        if name not in left_out and not name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"))
    }


@contextlib.contextmanager
def clean_environment() -> Iterator[None]:
    """For commands that others start from this process: as :func:`environment`, and then as before."""
    before = dict(os.environ)
    kept = environment()
    for name in before.keys() - kept.keys():
        del os.environ[name]
    os.environ.update(QUIETLY)
    try:
        yield
    finally:
        for name in QUIETLY:
            os.environ.pop(name, None)
        os.environ.update({name: value for name, value in before.items() if name in QUIETLY or name not in kept})


def command(place: Sequence[str]) -> list[str]:
    """The beginning of every git command of ours; ``place``: git's own options that say where."""
    return ["git", *place, *WITHOUT_HOOKS]


def run(place: Sequence[str], *arguments: str, timeout_s: float) -> subprocess.CompletedProcess[bytes]:
    """Run one command and return its result, whatever its exit status.

    Raises:
        OSError: there is no git.
        subprocess.TimeoutExpired: it did not end in time.
    """
    return subprocess.run(
        [*command(place), *arguments],
        capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout_s, check=False,
        env={**environment(), **QUIETLY},
    )  # fmt: skip


def place_of(folder: Path, timeout_s: float = 20.0) -> tuple[str, ...]:
    """How git is told where ``folder`` belongs, as :func:`run` wants it.

    What lies around the folder decides. Only where there is no repository do ``GIT_DIR`` and ``GIT_WORK_TREE`` of the
    environment: some keep the two apart.
    """
    here = ("-C", str(folder))
    git_dir = os.environ.get("GIT_DIR")
    if not git_dir or run(here, "rev-parse", "--show-toplevel", timeout_s=timeout_s).returncode == 0:
        return here
    work_tree = os.environ.get("GIT_WORK_TREE")
    work_tree_option = (f"--work-tree={Path(work_tree).absolute()}",) if work_tree else ()
    return (*here, f"--git-dir={Path(git_dir).absolute()}", *work_tree_option)
