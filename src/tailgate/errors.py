"""One line a user can act on: the wrong value, the allowed values, the nearest match, the next command."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator

import pytest


class TailgateError(Exception):
    """A user's mistake or a broken file; its text is one line and is shown without a traceback.

    Under pytest it ends the run before anything is measured, with exit code 4; so do our commands.
    """


@contextlib.contextmanager
def as_usage_error() -> Iterator[None]:
    """Around a pytest hook: a ``TailgateError`` becomes pytest's ``UsageError``, which is shown as one line."""
    try:
        yield
    except TailgateError as error:
        raise pytest.UsageError(str(error)) from error


def nearest(value: str, allowed: Iterable[str]) -> str | None:
    """The allowed value most like ``value``, or ``None`` when none is near."""
    matches = difflib.get_close_matches(value.lower(), list(allowed), n=1, cutoff=0.5)
    return matches[0] if matches else None


def unknown_value(option: str, value: str, allowed: Iterable[str], *, noun: str = "value", listing: str = "") -> str:
    """The one line for a value that is not among ``allowed``.

    ``listing`` replaces the list of allowed values where that would be long: it says which command prints it.
    """
    names = list(allowed)
    match = nearest(value, names)
    hint = f"; did you mean {match!r}?" if match else ""
    shown = listing or f"allowed: {', '.join(names)}"
    return f"{option}: unknown {noun} {value!r}{hint} ({shown})"


def one_line(error: BaseException) -> str:
    """An exception's text on one line, with its type where the text alone would say nothing."""
    text = " ".join(str(error).split())
    return text or type(error).__name__


class NotMeasuredError(Exception):
    """Raised by a benchmark, or a fixture of it, that found out why its numbers would mean nothing.

    The test fails with one line, its ``status`` is one of docs/reference/json-fields.md (``diverged``: a training
    whose loss is no longer finite), it has no stats, and the run goes on.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.reason if self.status == "failed" else f"{self.status}: {self.reason}"
