"""The ``pytest11`` entry point: registers the plug-in, once, however it was asked for.

``-p tailgate.plugin`` (a checkout on ``PYTHONPATH``) in an environment where Tailgate is also installed
would register the same module under two names, which pytest refuses with a traceback.
"""

import pytest

from tailgate import plugin

NAME = plugin.__name__


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """The first hook that runs, and early enough for the plug-in's own options."""
    if not pluginmanager.hasplugin(NAME):
        pluginmanager.register(plugin, NAME)
