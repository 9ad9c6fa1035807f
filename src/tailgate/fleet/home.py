"""What a fleet run keeps at home: a journal for each node, and the run of each node among the baselines of its machine.

The journals lie in pytest's cache folder, below the name of the runs. A node is known there by its fingerprint's folder
and its host's name, its *key*; where that host is gone, another one of the same fingerprint goes on with its journal.
"""

import contextlib
import itertools
import json
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tailgate.errors import TailgateError, one_line
from tailgate.files import replace_text
from tailgate.gates.saved.sessions import MARK, mark_of
from tailgate.machine import fingerprint
from tailgate.processes.journal.file import Journal, UnwritableError, entry_in
from tailgate.results.saved_run import Run, machine_of
from tailgate.seams.storage import BaselineStorage, saved_name

CACHE = Path(".pytest_cache")
STATE = "state.json"
Key = tuple[str, str]
"""A node: its fingerprint's folder, and its host's name; of several alike on one host, the second is ``HOST@2``."""


class NodeJournal:
    """The journal of one node, at home."""

    def __init__(self, journal: Journal, seed: bytes, node: str) -> None:
        self._journal = journal
        self._node = node
        self.path = journal.path
        self.seed = seed
        """What was in it: lines of the node's own journal."""
        self._rest = b""

    def add(self, data: bytes) -> None:
        """Bytes of the node's journal; each whole entry among them is on disk when this returns.

        Raises:
            JournalError: it cannot be written.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for entry in filter(None, map(entry_in, lines)):
            sign(entry.rows, self._node)  # another node may go on with it
            self._journal.append(entry)

    def complete(self) -> None:
        """What it holds is saved."""
        self._journal.complete()

    def close(self) -> None:
        """Let other runs have it."""
        self._journal.close()


class Home:
    """The files of all runs of one name.

    Args:
        project: where the command was started.
        storage: the folder of the baselines.
        name: what the runs are saved under.
        identity: what tells this run's code and arguments from others.
        resume: go on from what is kept.

    Raises:
        TailgateError: one of the folders cannot be written.
    """

    def __init__(self, project: Path, storage: Path, name: str, identity: str, *, resume: bool) -> None:
        self.storage = storage
        self.name = name
        self._identity = identity
        self._resume = resume
        self._folder = project / CACHE / "d" / "tailgate" / "fleet" / name
        self._claimed: set[Key] = set()
        self.remarks: list[str] = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            ignore = project / CACHE / ".gitignore"
            if not ignore.exists():  # as pytest makes it with the folder
                ignore.write_text("# Created by pytest automatically.\n*\n")
        except OSError as error:
            raise TailgateError(f"fleet run: {self._folder} cannot be made ({one_line(error)})") from error
        self.check_writable()
        self._saved = self._read_state() if resume else {}

    def key(self, folder: str, host: str, hosts: Iterable[str]) -> Key:
        """The key of a node, which no other node of this run has.

        Args:
            folder: its fingerprint's.
            host: its name.
            hosts: of all nodes of this run: what they have left is theirs.
        """
        name = _file_name(host)
        numbered = (name if number == 1 else f"{name}@{number}" for number in itertools.count(1))
        key = next((folder, one) for one in numbered if (folder, one) not in self._claimed)
        self._claimed.add(key)
        if self._resume and not self._path(key).exists():
            self._adopt(key, {_file_name(one) for one in hosts})
        return key

    def saved(self, key: Key) -> tuple[Path, int] | None:
        """The run of a node that has finished already with the same code and arguments, and the exit code then."""
        file, code = self._saved.get("/".join(key), ("", 0))
        return (Path(file), code) if file and Path(file).exists() else None

    def finished_benchmarks(self, folder: str) -> set[str]:
        """Names of what the journals of one fingerprint hold, where this run goes on from them."""
        files = (self._folder / folder).glob("*.jsonl") if self._resume else ()
        entries = (entry_in(line) for file in files for line in _contents(file).split(b"\n"))
        return {entry.nodeid for entry in entries if entry is not None}

    def check_writable(self, folder: str = "") -> None:
        """Try the storage, or a machine's folder in it, without making it.

        Raises:
            TailgateError: nothing can be saved there.
        """
        place = self.storage / folder
        try:
            there = next(one for one in (place, *place.parents) if one.exists())
            with tempfile.TemporaryFile(dir=there):
                return
        except OSError as error:
            raise TailgateError(
                f"fleet run: {place} cannot be written ({error.strerror or one_line(error)}); name another folder with "
                "--storage=DIR"
            ) from error

    def journal(self, key: Key, node: str, *, pooled: bool) -> NodeJournal:
        """Open a node's journal; ``pooled``: what any node of its fingerprint has finished counts.

        Raises:
            TailgateError: it cannot be written, or another run writes it.
        """
        path = self._path(key)
        seeds = [path, *sorted(set(path.parent.glob("*.jsonl")) - {path})] if pooled else [path]
        seed = b"".join(map(_contents, seeds)) if self._resume else b""
        before = _kept_aside(path)
        try:
            journal = Journal(path, resume=self._resume and path.exists())
        except UnwritableError as error:
            raise TailgateError(f"{path} cannot be written ({one_line(error.__cause__ or error)})") from error
        self.remarks += [
            f"An unfinished run of {key[1]} was there; it is kept in {one}. Next time, go on from it with --resume"
            for one in sorted(_kept_aside(path) - before)
        ]
        return NodeJournal(journal, seed, node)

    def baselines(self, folder: str, word: str) -> dict[str, bytes]:
        """The saved runs of one machine under one name, by ``FOLDER/FILE``."""
        files = (file for file in (self.storage / folder).glob("*.json") if saved_name(file) == word)
        return {f"{folder}/{file.name}": file.read_bytes() for file in sorted(files)}

    def save(self, run: Run, keys: Iterable[Key], commit: dict[str, Any], code: int) -> Path:
        """Save a node's run, or the one that several have measured together, among the baselines of its machine.

        ``code``: the exit code of its session.

        Raises:
            TailgateError: it cannot be written, or its machine is not known.
        """
        facts = machine_of(run)
        if facts is None:
            raise TailgateError("its run has no fingerprint, so its machine is not known")
        folder = fingerprint.folder_name(facts)
        if mark := mark_of(run):
            names = [Path(str(one)).name for one in mark.get("history") or ()]
            run[MARK] = {**mark, "history": [str(self.storage / folder / one) for one in names]}
        run["commit_info"] = commit
        path = BaselineStorage(self.storage, logger=None, default_machine_id=folder).add(run, self.name, indent=None)
        self._saved |= {"/".join(key): (str(path), code) for key in keys}
        state = self._folder / STATE
        try:
            replace_text(state, json.dumps({"identity": self._identity, "saved": self._saved}, indent=1))
        except OSError as error:
            self.remarks.append(f"{state} cannot be written ({one_line(error)}): --resume would save {path} once more")
        return path

    def keep_log(self, key: Key, log: bytes) -> Path | None:
        """A session's output; ``None``: it cannot be kept."""
        file = self._path(key).with_suffix(".log")
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(log)
            return file
        return None

    def _path(self, key: Key) -> Path:
        return self._folder / key[0] / f"{key[1]}.jsonl"

    def _adopt(self, key: Key, hosts: set[str]) -> None:
        """Go on with the unfinished journal of a host that is gone."""
        path = self._path(key)
        for old in sorted(path.parent.glob("*.jsonl")):
            if old.stem.partition("@")[0] not in hosts and self.saved((key[0], old.stem)) is None:
                old.rename(path)
                self.remarks.append(f"{key[1]} goes on with what {old.stem} has measured: their fingerprints are equal")
                return

    def _read_state(self) -> dict[str, tuple[str, int]]:
        """Empty where nothing was saved, or by another run, or the file is not ours."""
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            state = json.loads((self._folder / STATE).read_text(encoding="utf8"))
            if state["identity"] == self._identity:
                return {str(key): (str(file), int(code)) for key, (file, code) in state["saved"].items()}
        return {}


def sign(rows: Iterable[Run], node: str) -> None:
    """Each row says which node has measured it; what says so already stays."""
    for row in rows:
        if isinstance(info := row.setdefault("extra_info", {}), dict):
            info.setdefault("fleet_node", node)


def _file_name(host: str) -> str:
    return re.sub(r"[^\w.-]", "_", host)[:100] or "_"


def _kept_aside(path: Path) -> set[Path]:
    return set(path.parent.glob(f"{path.name}.previous*"))


def _contents(path: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        data = path.read_bytes()
        return data if data.endswith(b"\n") or not data else data + b"\n"
    return b""
