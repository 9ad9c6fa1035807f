"""One file a format. A report reads saved runs and returns text; it measures nothing.

A format is a module with ``NAME`` and ``render(runs) -> str``. Ours are in :mod:`tailgate.results.pages`; a project
adds its own by ``tailgate_reports = PACKAGE`` in its pytest.ini: every module of that package, and of the packages in
it, that has them. One that draws, or that has a file of its own beside the text, also has
``attachments(runs) -> {SUFFIX: bytes}``: written beside ``--output=FILE``, under its stem and each suffix
(``.csv``, ``.png``, ``-smir.png``). One that adds pictures to every page also has ``TITLE`` and ``section(run)``
(:mod:`tailgate.results.pages.sections`). One whose text has no place for what a reader has to mind also has
``warnings(runs) -> [LINE]``, which the command prints to standard error. Each raises ``TailgateError`` where the runs
lack what it needs.

Whatever the format, no text of a run has a control character left when a report sees it: what a terminal would obey, or
what would begin a new line of a table, is written out. Markup is each format's own to escape.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

from tailgate.commands import project
from tailgate.errors import TailgateError
from tailgate.results import pages, pictures
from tailgate.results.pages.sections import Kind, NotDrawn
from tailgate.results.saved_run import Run
from tailgate.text import printable

T = TypeVar("T")

INI = "tailgate_reports"
BROKEN = "the project's format broke"


@dataclass(frozen=True)
class Format:
    """What ``tailgate report --format`` names."""

    render: Callable[[Sequence[Run]], str]
    attachments: Callable[[Sequence[Run]], Mapping[str, bytes]] | None
    """``None``: the text is all there is."""
    warnings: Callable[[Sequence[Run]], Sequence[str]] | None
    """``None``: the text says all of it."""
    rounds: bool = True
    """Whether it reads raw rounds: ours may do without, a project's always gets them."""
    kind: Kind | None = None
    """The pictures that it adds to every page; ``None``: none."""


def ours() -> dict[str, Format]:
    """The formats of Tailgate itself: a broken project does not take them away."""
    return {
        module.NAME: Format(
            _of_printable(module.render),
            _of_files(module),
            _optional(module, "warnings"),
            getattr(module, "ROUNDS", False),
        )
        for module in _modules(pages)
        if hasattr(module, "NAME")
    }


def formats(start: Path) -> dict[str, Format]:
    """Every format by name: ours, and those of the project around ``start``.

    Raises:
        TailgateError: the package that the project names cannot be imported, or a module of it is no format.
    """
    known = ours()
    found = project.imported(start, INI)
    if found is not None:
        where = f"{found.file}: {INI} = {found.module.__name__}"
        try:
            modules = list(_modules(found.module))
        except TailgateError as error:
            raise TailgateError(f"{where} {error}") from error
        except (Exception, SystemExit) as error:  # whatever a module does when imported: one line, not a traceback
            raise TailgateError(f"{where} cannot be imported ({project.fault(error)})") from error
        for module in modules:
            if hasattr(module, "NAME"):
                known[module.NAME] = _checked(module, where, known)
    return dict(sorted(known.items()))


def _optional(module: ModuleType, name: str) -> Any:
    made = getattr(module, name, None)
    return made and _of_printable(made)


class _Broken:
    """In the place of a project's pictures."""

    TITLE = "The project's pictures"

    def __init__(self, error: TailgateError) -> None:
        self._reason = printable(str(error))

    def section(self, run: Run) -> NotDrawn:
        return NotDrawn(self.TITLE, self._reason)


def kinds(start: Path) -> list[Kind]:
    """The pictures that the project around ``start`` adds to every page; a broken project says so in their place."""
    try:
        return [one.kind for one in formats(start).values() if one.kind is not None]
    except TailgateError as error:
        return [_Broken(error)]


def _of_files(module: ModuleType) -> Callable[[Sequence[Run]], Mapping[str, bytes]] | None:
    attachments = getattr(module, "attachments", None)
    return attachments and _styled(_of_printable(attachments))


def _checked(module: ModuleType, where: str, known: Mapping[str, Format]) -> Format:
    """A project's module as a format."""
    name, attachments = module.NAME, getattr(module, "attachments", None)
    warnings = getattr(module, "warnings", None)
    if not isinstance(name, str) or not name:
        raise TailgateError(f"{where}: NAME of {module.__name__} is {name!r}; it has to be a text")
    if name in known:
        raise TailgateError(
            f"{where}: NAME of {module.__name__} is {name!r}, which is another format's; choose another"
        )
    if not callable(getattr(module, "render", None)) or not (attachments is None or callable(attachments)):
        lacking = "attachments(runs)" if callable(getattr(module, "render", None)) else "render(runs)"
        raise TailgateError(f"{where}: {module.__name__} has NAME = {name!r} and no function {lacking}")
    return Format(
        _guarded(_of_printable(module.render), name, _is_text, "render(runs) has to return a text that UTF-8 can hold"),
        attachments
        and _guarded(
            _styled(_of_printable(attachments)), name, _is_files, "attachments(runs) has to return {SUFFIX: bytes}"
        ),
        warnings and _guarded(_of_printable(warnings), name, _are_lines, "warnings(runs) has to return texts"),
        kind=cast(Kind, module) if hasattr(module, "TITLE") and callable(getattr(module, "section", None)) else None,
    )


def where_more_are(start: Path) -> str:
    """For the line about an unknown format: a project adds the formats of its studies."""
    if project.named(start, INI) is not None:
        return ""
    return f"; the formats of studies belong to their suite: run this inside its checkout, whose pytest.ini has {INI}"


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    """Import every module of a package and of the packages in it."""
    if not hasattr(package, "__path__"):
        raise TailgateError("is a module, not a package of formats")
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        yield module
        if found.ispkg:
            yield from _modules(module)


def _guarded(make: Callable[[Sequence[Run]], T], name: str, fits: Callable[[Any], bool], rule: str) -> Any:
    """A project's function: what it does wrong is one line that names it."""

    @wraps(make)
    def made(runs: Sequence[Run]) -> T:
        try:
            result = make(runs)
        except TailgateError:
            raise
        except Exception as error:
            raise TailgateError(f"--format={name}: {BROKEN}: {project.fault(error)}") from error
        if not fits(result):
            raise TailgateError(f"--format={name}: {BROKEN}: {rule}; it returned {type(result).__name__}")
        return result

    made.__wrapped__ = make.__wrapped__  # type: ignore[attr-defined]
    return made


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value == value.encode(errors="replace").decode()


def _are_lines(result: Any) -> bool:
    return isinstance(result, list | tuple) and all(isinstance(one, str) for one in result)


def _is_files(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(suffix, str) and isinstance(content, bytes) for suffix, content in value.items()
    )


def _of_printable(make: Callable[[Sequence[Run]], T]) -> Callable[[Sequence[Run]], T]:
    @wraps(make)
    def made(runs: Sequence[Run]) -> T:
        return make([printable_data(run) for run in runs])

    return made


def _styled(make: Callable[[Sequence[Run]], T]) -> Callable[[Sequence[Run]], T]:
    """Whatever it draws has the look of all pictures."""

    @wraps(make)
    def made(runs: Sequence[Run]) -> T:
        with pictures.style():
            return make(runs)

    made.__wrapped__ = make.__wrapped__  # type: ignore[attr-defined]
    return made


def printable_data(value: Any) -> Any:
    """Plain data with every text in it on one line and without anything a terminal would obey."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable_data(key): printable_data(one) for key, one in value.items()}
    return [printable_data(one) for one in value] if isinstance(value, list) else value
