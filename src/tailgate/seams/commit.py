"""pytest-benchmark's facts of the commit, for a run that was measured where there is no repository."""

from typing import Any

from pytest_benchmark import utils

from tailgate.machine import git


def commit_info() -> dict[str, Any]:
    """Facts of the commit around the current directory, as every saved run has them in ``commit_info``."""
    with git.clean_environment():
        found: dict[str, Any] = utils.get_commit_info()
        return found
