"""Where a session will write, decided and tried before anything is measured."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tailgate.errors import TailgateError, one_line
from tailgate.machine import fingerprint as environment
from tailgate.seams import benchmark_names
from tailgate.seams.storage import BaselineStorage
from tailgate.session.settings import Settings

STOCK_STORAGE = "file://./.benchmarks"
"""``--benchmark-storage``'s default."""


def use_baselines(config: pytest.Config, settings: Settings, fingerprint: Callable[[], dict[str, Any]]) -> None:
    """Save and look for runs by fingerprint, where the ini file names a folder for them."""
    option = config.option
    ours = settings.baselines is not None and option.benchmark_storage == STOCK_STORAGE
    if ours:
        option.benchmark_storage = f"file://{settings.baselines}"
        option.benchmark_save_data = True
    benchmark_names.watch_measuring(settings.active)
    benchmark_names.save_under(environment.folder_name(fingerprint()) if ours else None)
    BaselineStorage.strict = ours or settings.gate


def check_writable(config: pytest.Config, settings: Settings) -> None:
    """Try the folders of ``--benchmark-save``, ``--benchmark-json`` and ``--report``.

    Raises:
        TailgateError: one cannot be written.
    """
    option = config.option
    storage = option.benchmark_storage.removeprefix("file://")
    if (option.benchmark_save or option.benchmark_autosave) and "://" not in storage:
        _check_folder("--benchmark-storage", Path(storage))
    if settings.report:
        if settings.report.is_dir():
            raise TailgateError(f"--report: {settings.report} cannot be written (it is a folder); name a file")
        _check_folder("--report", settings.report.parent)
    if not option.benchmark_json:
        return
    file = Path(option.benchmark_json)
    if file.is_dir():
        raise TailgateError(
            f"--benchmark-json: {file} cannot be written (it is a folder); name a file, such as {file}/run.json"
        )
    if settings.active:
        _check_folder("--benchmark-json", file.parent)


def _check_folder(flag: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise TailgateError(f"{flag}: {folder} cannot be written ({one_line(error)}); name another folder") from error
