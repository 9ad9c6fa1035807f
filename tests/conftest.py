"""Warnings are errors in our own tests; they make their artefacts in a cache of their own."""

import os
import shutil
import tempfile
from pathlib import Path

import _hypothesis_globals
import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]
CACHE = pytest.StashKey[str]()
# How long an example takes on a busy machine is no property of the code.
settings.register_profile("tailgate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tailgate")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        # A worker of pytest-xdist shares its controller's cache; the sessions it starts are nobody's workers.
        for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
            del os.environ[name]
        # Each worker, and each session it starts, has as many threads as the machine has CPUs; OpenMP's would spend
        # three quarters of all its time waiting for each other. How many there are stays as it is.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    else:
        config.stash[CACHE] = os.environ["TAILGATE_CACHE"] = tempfile.mkdtemp(prefix="tailgate-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if CACHE in config.stash:
        shutil.rmtree(config.stash[CACHE], ignore_errors=True)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """For ``-m alone`` only the files that have such tests: to import all others takes ten seconds."""
    if config.option.markexpr != "alone" or collection_path.suffix != ".py":
        return None
    return True if "mark.alone" not in collection_path.read_text() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("error"), append=False)


def pytest_runtest_setup() -> None:
    # ``tailgate compare`` loads every pytest plug-in there is. Hypothesis's takes all that follows for the beginning
    # of a session, in which nothing is to be generated.
    _hypothesis_globals.in_initialization = 0
