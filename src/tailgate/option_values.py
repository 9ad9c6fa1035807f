"""From the text of an option to its value; a wrong one is one line with the allowed ones."""

import re
from collections.abc import Callable
from typing import Any

from tailgate.errors import TailgateError, unknown_value

UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def default(text: str | None, default: str) -> str:
    """An option given without a value is a mistake, not the default."""
    return default if text is None else text


def optional(text: str | None, parse: Callable[[str], Any]) -> Any:
    """Parsed where it was given."""
    return None if text is None else parse(text)


def choice(flag: str, value: str, allowed: Any) -> str:
    """One of the allowed values.

    Raises:
        TailgateError: another; the nearest is named.
    """
    if value not in allowed:
        raise TailgateError(unknown_value(flag, value, allowed))
    return value


def integer(flag: str, text: str, least: int, most: int | None = None, allowed: str = "", hint: str = "") -> int:
    """A whole number within ``least`` and ``most``; ``allowed`` and ``hint`` are of the error.

    Raises:
        TailgateError: anything else.
    """
    allowed = allowed or (f"{least} or more" if most is None else f"{least} to {most}")
    try:
        number = int(text)
    except ValueError:
        raise TailgateError(f"{flag}: {text!r} is not a whole number{hint} (allowed: {allowed})") from None
    if number < least or (most is not None and number > most):
        problem = "too small" if most is None else "out of range"
        raise TailgateError(f"{flag}: {number} is {problem} (allowed: {allowed})")
    return number


def seconds(flag: str, text: str, *, most_s: float) -> float:
    """Seconds above 0, up to ``most_s``.

    Raises:
        TailgateError: no such length of time.
    """
    try:
        seconds = float(text)
    except ValueError:
        raise TailgateError(f"{flag}: {text!r} is not a duration (allowed: seconds above 0)") from None
    if not 0 < seconds <= most_s:
        raise TailgateError(f"{flag}: {text} is not a duration (allowed: seconds above 0, up to {most_s:,.0f})")
    return seconds


def names(flag: str, text: str, allowed: list[str]) -> tuple[str, ...]:
    """Comma-separated names of those allowed, or ``none``.

    Raises:
        TailgateError: another; the nearest is named.
    """
    if text == "none":
        return ()
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in allowed:
            raise TailgateError(unknown_value(flag, name, [*allowed, "none"]))
    return names


def duration_s(where: str, value: Any) -> float:
    """``"50ms"`` -> 0.05.

    Raises:
        TailgateError: anything else.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-zµ]+)\s*", value) if isinstance(value, str) else None
    if not match or match[2] not in UNITS_S or not float(match[1]):
        raise TailgateError(f"{where}: {value!r} is not a duration (allowed: such as '50ms'; {', '.join(UNITS_S)})")
    return float(match[1]) * UNITS_S[match[2]]
