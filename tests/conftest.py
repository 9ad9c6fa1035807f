"""Warnings are errors in our own tests; they make their artefacts in a cache of their own."""

import os
import shutil
import tempfile

import pytest

pytest_plugins = ["pytester"]
CACHE = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[CACHE] = os.environ["TAILGATE_CACHE"] = tempfile.mkdtemp(prefix="tailgate-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[CACHE], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("error"), append=False)
