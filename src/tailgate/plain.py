"""What JSON can hold of a value, whatever a test has put into ``extra_info``."""

from __future__ import annotations

from typing import Any

DEEPEST = 50
"""Lists and dictionaries inside of each other; deeper ones, and cycles, are told by their text."""
PLAIN = (str, bool, int, float, type(None))


def plain(value: Any, _depth: int = 0) -> Any:
    """``value`` with text for what JSON has no form for: keys, values, cycles, great depth, half a character."""
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, PLAIN):
        return value
    if not isinstance(value, dict | list | tuple) or _depth >= DEEPEST:
        return f"UNSERIALIZABLE[{shown(value)}]"
    if isinstance(value, dict):
        return _with_text_keys(value, _depth)
    return [plain(one, _depth + 1) for one in value]


def shown(value: Any) -> str:
    """Its ``repr``, or its type's name where it has none."""
    try:
        return text_of(repr(value))
    except Exception:  # whatever a stranger's __repr__ raises; RecursionError of a deep one
        return f"<{type(value).__name__}>"


def text_of(text: str) -> str:
    """Half of a character, as from a file name that is no UTF-8, is written as an escape."""
    return text.encode("utf8", "backslashreplace").decode()


def _with_text_keys(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, one in value.items():
        name = text_of(key) if isinstance(key, str) else shown(key)
        while name in found:  # 1 and "1" are two
            name += "'"
        found[name] = plain(one, depth + 1)
    return found
