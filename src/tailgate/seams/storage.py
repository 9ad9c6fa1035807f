"""pytest-benchmark's file storage, made to find a run by the plain word it was saved under.

``0001_epyc.json`` is found by ``epyc``. A run is written whole or not at all, and when its folder has
become unwritable since the start, elsewhere rather than nowhere.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pytest_benchmark.storage.file import FileStorage

from tailgate.errors import TailgateError, nearest, one_line
from tailgate.results.plain import json_text
from tailgate.results.saved_run import Run, load_run

NUMBERED = re.compile(r"^(\d+)_(.+)\.json$")


def saved_name(file: Path) -> str | None:
    """The name a run was saved under: ``0001_epyc.json`` -> ``epyc``; ``None`` for any other file."""
    match = NUMBERED.fullmatch(file.name)
    return match[2] if match else None


def kept(text: str, name: str, what: str = "run") -> str:
    """What could not be written where it belongs, in the temporary folder; half a sentence on that."""
    try:
        target = Path(tempfile.mkdtemp(prefix="tailgate-unsaved-")) / name
        target.write_text(text, encoding="utf8")
    except OSError as error:
        return f"nor could the temporary folder ({one_line(error)}): the {what} is not saved"
    return f"the {what} is kept in {target}"


class BaselineStorage(FileStorage):
    """A drop-in for ``FileStorage``; with ``strict`` a run named by the user must be there and be whole."""

    strict = False
    unwritten = False
    """A run could not be saved here."""
    loaded: ClassVar[dict[Path, Run]] = {}
    """Runs that were read already; whoever takes one may change it."""

    def query(self, *globs_or_files: str) -> list[Path]:
        """As pytest-benchmark, and where that finds nothing, the latest run saved under the plain name.

        Of this machine if there is one, else of any other.
        """
        found: list[Path] = super().query(*globs_or_files)
        if found or len(globs_or_files) != 1:
            return found
        (word,) = globs_or_files
        named = [file for file in self._numbered() if saved_name(file) == word]
        own = [file for file in named if file.parent.name == self.default_machine_id]
        return (own or named)[-1:]

    def load(self, *globs_or_files: str) -> Iterator[tuple[Path, Any]]:
        """Runs that match, as they were saved: the table completes the rows it shows.

        Raises:
            pytest.UsageError: ``strict``, and nothing of that name is there, or what is there is broken.
        """
        wanted = globs_or_files or ("[0-9][0-9][0-9][0-9]_",)
        try:
            files = self.query(*wanted)
        except ValueError as error:  # a path with folders that is not there
            raise pytest.UsageError(f"--benchmark-compare: {one_line(error)}") from error
        if self.strict and not files:
            raise pytest.UsageError(self._nothing(globs_or_files[0] if globs_or_files else None))
        shown = {file: file.relative_to(self.path) if file.is_relative_to(self.path) else file for file in files}
        if len({path.is_absolute() for path in shown.values()}) > 1:  # pytest-benchmark cannot name such side by side
            shown = {file: file.resolve() for file in files}
        for file in files:
            try:
                run = self.loaded.pop(file, None) or load_run(file, completed=False)
            except TailgateError as error:
                if self.strict:
                    raise pytest.UsageError(f"--benchmark-compare: {error}") from error
                self.logger.warning(f"Failed to load {file}: {error}")
                continue
            for bench in run["benchmarks"]:  # older files lack them, and readers take them to be there
                bench.setdefault("param", None)
                bench.setdefault("params", None)
            yield shown[file], run

    def save(self, output_json: dict[str, Any], save: str) -> None:
        """Write the next number of ``save``, whole; on failure in the temporary folder, saying so."""
        text = json_text(output_json, indent=1)
        try:
            target = self._write_next(text, save)
        except OSError as error:
            said = f"{self.path} could not be written ({one_line(error)}); {kept(text, f'{save}.json')}"
            self.logger.error(said)
            self.unwritten = True
            return
        self.logger.info(f"Saved benchmark data in: {target}")

    def add(self, output_json: dict[str, Any], word: str, *, indent: int | None = 1) -> Path:
        """Write the next number of ``word`` in this machine's folder, whole; unlike ``save``, or not at all.

        ``indent``: ``None`` takes a tenth of the time, which counts where there are a hundred large runs.

        Raises:
            TailgateError: it cannot be written.
        """
        try:
            return self._write_next(json_text(output_json, indent=indent), word)
        except OSError as error:
            raise TailgateError(f"{self.path}: cannot be written ({one_line(error)})") from error

    def _write_next(self, text: str, save: str) -> Path:
        folder = self.get("x").parent
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".saving-", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o644)  # noqa: PTH101 (mkstemp gives a string; a saved run is for sharing)
            while True:
                target: Path = self.get(f"{self._next_num}_{save}.json")
                try:
                    os.link(temporary, target)
                    return target
                except FileExistsError:
                    continue
        finally:
            Path(temporary).unlink(missing_ok=True)

    def _numbered(self) -> list[Path]:
        """Runs of all machines, the largest number last."""
        found = [file for file in self.path.glob("*/*.json") if saved_name(file)]
        return sorted(found, key=lambda file: (int(file.name.partition("_")[0]), file))

    @property
    def _next_num(self) -> str:
        """One more than the largest number in this machine's folder; pytest-benchmark's stops seeing runs at 9999."""
        numbers = [int(file.name.partition("_")[0]) for file in self.get("x").parent.glob("*.json") if saved_name(file)]
        return f"{max(numbers, default=0) + 1:04}"

    def _nothing(self, wanted: str | None) -> str:
        if wanted is None:
            return (
                f"--benchmark-compare: no saved run to compare with (saved in {self.path}: nothing yet); "
                "save one with --benchmark-save=NAME"
            )
        names = sorted({saved_name(file) or "" for file in self._numbered()})
        match = nearest(wanted, names)
        hint = f"; did you mean {match!r}?" if match else ""
        saved = f"saved in {self.path}: {', '.join(names) or 'nothing yet'}"
        return f"--benchmark-compare: no saved run {wanted!r}{hint} ({saved}; save one with --benchmark-save={wanted})"
