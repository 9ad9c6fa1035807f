"""What a project adds: ``tailgate_commands = MODULE`` and ``tailgate_reports = PACKAGE`` in its pytest.ini.

The project is the one pytest would find from the current directory: the first folder upwards with a configuration
file of pytest's. That folder goes to the front of ``sys.path``; a commands module's ``add(commands)`` gets argparse's
sub-parsers. A command sets ``run``: called with the options and the arguments nobody knows, it returns the exit code.
"""

import configparser
import importlib
import sys
import tomllib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tailgate.errors import TailgateError, one_line, unknown_value

INI = "tailgate_commands"
FILES = (
    "pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg",
)  # fmt: skip
"""In the order in which pytest looks for them."""
SECTIONS = {"pytest.ini": "pytest", ".pytest.ini": "pytest", "tox.ini": "pytest", "setup.cfg": "tool:pytest"}


@dataclass(frozen=True)
class Imported:
    """A module that a project names, and the configuration file that names it."""

    module: ModuleType
    file: Path


def add(commands: Any, start: Path) -> Path | None:
    """Add what the project around ``start`` offers.

    Returns:
        The configuration file that names it; ``None``: there is none.

    Raises:
        TailgateError: the module it names cannot be imported, or offers no ``add``.
    """
    found = imported(start, INI)
    if found is None:
        return None
    if not callable(getattr(found.module, "add", None)):
        raise TailgateError(f"{found.file}: {INI} = {found.module.__name__} has no add(commands)")
    found.module.add(commands)
    return found.file


def imported(start: Path, ini: str) -> Imported | None:
    """The module that the project around ``start`` names under ``ini``; ``None``: it names none.

    Raises:
        TailgateError: it cannot be imported.
    """
    found = named(start, ini)
    if found is None:
        return None
    file, name = found
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    try:
        return Imported(importlib.import_module(name), file)
    except (Exception, SystemExit) as error:  # whatever a project's module does when imported: no traceback
        raise TailgateError(f"{file}: {ini} = {name} cannot be imported ({fault(error)})") from error


def fault(error: BaseException) -> str:
    """What a project's code did wrong, with its file and line, which its author needs."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    ours = str(Path(__file__).parent)
    theirs = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith((ours, "<"))]
    stdlib = str(Path(importlib.__file__).parent)
    theirs = [one for one in theirs if not one.filename.startswith(stdlib)]
    place = f" at {theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""
    return " ".join(text.split()) + place


def unknown(command: str, ours: list[str], project: Path | None) -> str:
    """The one line for a command that neither we nor the project have, or that needs a project."""
    if project is None:
        return (
            f"{command!r} is none of tailgate's own commands ({', '.join(ours)}), and no project adds it here: "
            f"run it inside the checkout of one whose pytest.ini has {INI}, as Tailgate's suite does"
        )
    return unknown_value("command", command, ours, noun="name")


def storage(start: Path) -> Path | None:
    """The folder that the project around ``start`` names for saved runs, as seen from there; ``None``: it names none.

    Raises:
        TailgateError: its configuration cannot be read.
    """
    found = named(start, "tailgate_baselines")
    if found is None:
        return None
    folder = found[0].parent / found[1]
    return folder.relative_to(start) if folder.is_relative_to(start) else folder


def named(start: Path, ini: str) -> tuple[Path, str] | None:
    """The project's configuration file and what it names: a module, a folder."""
    for folder in (start, *start.parents):
        for file in (folder / name for name in FILES):
            values = _values(file)
            if values is not None:
                name = values.get(ini) or ""
                if not isinstance(name, str):
                    raise TailgateError(f"{file}: {ini} = {name!r} is not text; write one name")
                return (file, name.strip()) if name.strip() else None
    return None


def _values(file: Path) -> Mapping[str, Any] | None:
    """What a file configures for pytest; ``None``: it is not there, or not pytest's."""
    try:
        if file.suffix == ".toml":
            return _table(file, tomllib.loads(file.read_text(encoding="utf8")))
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        parser.read_string(file.read_text(encoding="utf8"), str(file))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, ValueError, configparser.Error) as error:
        raise TailgateError(f"{file}: cannot be read ({one_line(error)})") from error
    section = SECTIONS[file.name]
    if parser.has_section(section):
        return dict(parser[section])
    return {} if "pytest.ini" in file.name else None


def _table(file: Path, content: dict[str, Any]) -> Mapping[str, Any] | None:
    """What a TOML file configures; its own files are its configuration whatever they hold."""
    whole = file.name != "pyproject.toml"
    found: Any = content
    for name in ("pytest",) if whole else ("tool", "pytest"):
        found = found.get(name, {})
        if not isinstance(found, dict):
            raise TailgateError(f"{file}: {name} is not a table")
    if whole:
        return found  # type: ignore[no-any-return]
    return found.get("ini_options", found) or None
