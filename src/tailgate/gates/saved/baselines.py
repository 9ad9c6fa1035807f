"""``tailgate baselines``: which saved runs are there, what they are worth, and which of them count."""

import re
import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tailgate.errors import TailgateError, one_line, unknown_value
from tailgate.files import replace_text
from tailgate.gates.saved.expected import expected
from tailgate.gates.saved.sessions import MARK, Session, mark_of, number_of, read, series_of, since_accepted
from tailgate.machine import fingerprint
from tailgate.results.plain import json_text
from tailgate.results.saved_run import Run, load_run, machine_of
from tailgate.results.verdict_table import quantity
from tailgate.seams.storage import BaselineStorage, saved_name
from tailgate.text import aligned, printable

SERIES_NAME = re.compile(r"[\w][\w.-]*")
"""What a series may be called: it becomes part of a file's name."""


def listing(storage: Path) -> str:
    """A table with one line per series."""
    rows = [["machine", "name", "sessions", "first", "last", "benchmarks", "failed"]]
    for folder, word, files in all_series(storage):
        sessions = [read(file) for file in files]
        dates = [one.date[:10] for one in sessions if one.date] or ["?"]
        failed = sum(one.failed and not one.accepted for one in sessions)
        benchmarks = sessions[-1].benchmarks
        counted = len(since_accepted([one for one in sessions if not one.failed or one.accepted]))
        rows.append([folder, word, str(counted), dates[0], dates[-1], str(benchmarks), str(failed or "-")])
    if not rows[1:]:
        return f"No saved runs in {storage}; save one with: pytest --benchmark-save=NAME\n"
    return "\n".join(aligned(rows)) + "\n"


def shown(storage: Path, name: str) -> str:
    """The sessions of a series, and how much each benchmark scatters between them."""
    return "\n".join(_shown(folder, [read(file) for file in files]) for folder, files in named(storage, name))


def pruned(storage: Path, name: str, keep: int) -> list[Path]:
    """Remove all but the last ``keep`` sessions of a series on each machine; failed ones do not count.

    An older one stays where, without it, a gate would miss other benchmarks than before: the last complete session
    before several that were cut short. Returns what was removed.
    """
    if keep < 1:
        raise TailgateError(f"--keep: {keep} is too small (allowed: 1 or more); to remove all, remove the files")
    removed = []
    for _, files in named(storage, name):
        sessions = [read(file) for file in files]
        counted = [one.path for one in sessions if not one.failed or one.accepted]
        if len(counted) > keep:
            removed += _removable(sessions, files.index(counted[-keep]))
    for file in removed:
        try:
            file.unlink()
        except OSError as error:
            raise TailgateError(f"{file}: cannot be removed ({one_line(error)})") from error
    return removed


def _removable(sessions: list[Session], older: int) -> list[Path]:
    """Which of the first ``older`` sessions no benchmark is judged by, asking the oldest first."""
    left = [one for one in sessions if not one.failed or one.accepted]
    today = sessions[-1].extent.selection
    names = set(expected(left, today).sessions)
    whole = next((one for one in reversed(left) if one.extent.complete is not False), None)
    removable = []
    for session in sessions[:older]:
        rest = [one for one in left if one is not session]
        if len(rest) < len(left) and (session is whole or set(expected(rest, today).sessions) != names):
            continue
        left = rest
        removable.append(session.path)
    return removable


def accepted(file: Path, storage: Path, word: str | None) -> tuple[Path, bool]:
    """Make a run a baseline of its own machine, whatever its gate said; returns its place and whether that is new."""
    run = load_run(file, completed=False)
    word = word or saved_name(file)
    if word is None or not SERIES_NAME.fullmatch(word):
        what = f"{word!r} is not a name" if word else f"{file.name} has no name"
        raise TailgateError(f"baselines accept: {what} to save it under; add --as NAME (letters, digits, . _ -)")
    home = storage / _folder(file, run)
    mark = mark_of(run)
    waiting = bool(mark.get("failed")) and not mark.get("accepted")
    if waiting:
        run[MARK] = {**mark, "accepted": datetime.now(UTC).isoformat()}
    if file.resolve().parent == home.resolve() and saved_name(file) == word:
        if waiting:
            _replace(file, run)
        return file, waiting
    for other in series_of(home / f"0000_{word}.json"):
        there = load_run(other, completed=False)
        if (there.get("datetime"), there["benchmarks"]) == (run.get("datetime"), run["benchmarks"]):
            return accepted(other, storage, word) if waiting else (other, False)
    return BaselineStorage(storage, logger=None, default_machine_id=home.name).add(run, word), True


def all_series(storage: Path, command: str = "baselines") -> Iterator[tuple[str, str, list[Path]]]:
    """Machine's folder, name and files, the oldest first.

    Raises:
        TailgateError: there is no such folder; in the name of ``command``.
    """
    if not storage.is_dir():
        raise TailgateError(f"{command}: no folder {storage} here; name another with --storage DIR")
    for folder in sorted(path for path in storage.iterdir() if path.is_dir()):
        files = sorted((file for file in folder.glob("*.json") if saved_name(file)), key=number_of)
        for word in sorted({saved_name(file) or "" for file in files}):
            yield folder.name, word, [file for file in files if saved_name(file) == word]


def named(storage: Path, name: str, command: str = "baselines") -> list[tuple[str, list[Path]]]:
    """The series of one name: machine's folder and files.

    Raises:
        TailgateError: there is none; in the name of ``command``.
    """
    every = list(all_series(storage, command))
    found = [(folder, files) for folder, word, files in every if word == name]
    if not found:
        words = sorted({word for _, word, _ in every})
        raise TailgateError(unknown_value(command, name, words, noun="name"))
    return found


def _shown(folder: str, sessions: list[Session]) -> str:
    rows = [["session", "saved", "benchmarks", ""]]
    rows += [[one.path.name, (one.date or "?")[:16], str(one.benchmarks), _state(one)] for one in sessions]
    counted = since_accepted([one for one in sessions if not one.failed or one.accepted])
    table = [["benchmark", "sessions", "median", "scatter (1 sd)"]]
    for name in dict.fromkeys(name for one in counted for name in one.samples):
        samples = [one.samples[name] for one in counted if name in one.samples]
        logs = [log for one in samples if one.trusted and (log := one.log("median")) is not None]
        medians = [value for one in samples if (value := one.values.get("median"))]
        scatter = f"{statistics.stdev(logs) * 100:.1f} %" if len(logs) > 1 else "?"
        table.append(
            [name, str(len(logs)), quantity(statistics.median(medians), "median") if medians else "?", scatter]
        )
    return "\n".join([printable(folder), *aligned(rows), "", *aligned(table), ""])


def _state(session: Session) -> str:
    words = []
    if session.failed:
        words.append("accepted: history begins here" if session.accepted else "its gate failed: not used")
    if session.extent.complete is False:
        words.append(f"not complete: {session.extent.why}")
    statuses = Counter(one.status for one in session.samples.values() if not one.trusted)
    words += [f"{count} {status}: not used" for status, count in sorted(statuses.items())]
    if session.several:
        words.append(f"several rows of one name, not used: {next(iter(session.several))}")
    return printable("; ".join(words))


def _folder(file: Path, run: Run) -> str:
    facts = machine_of(run)
    try:
        return fingerprint.folder_name(facts or {})
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise TailgateError(
            f"{file}: no whole fingerprint in it, so its machine is not known; "
            "save a run with Tailgate installed: pytest --benchmark-save=NAME"
        ) from error


def _replace(file: Path, run: dict[str, Any]) -> None:
    try:
        replace_text(file, json_text(run, indent=1))
    except OSError as error:
        raise TailgateError(f"{file}: cannot be written ({one_line(error)})") from error
