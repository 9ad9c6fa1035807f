"""What JSON can hold of a value, whatever a test has put into ``extra_info``; and the text of a file of it.

The same value gives the same data wherever and whenever it is asked, so that a value of this session can be compared
with one that came out of a file.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from tailgate.number import as_python, is_number

DEEPEST = 50
"""How deep lists and dictionaries are kept; deeper ones are saved as their text."""
MOST_ELEMENTS = 100_000
"""Of an array that is saved element by element; of a larger one its kind, shape and a digest are."""
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
OLDER_NUMBER = re.compile(
    r"UNSERIALIZABLE\[(?:\w+\.)?\w*\(?'?(True|False|-?[\d.]+(?:e[-+]?\d+)?)_?'?\)?(?:, dtype=\w+\))?\]"
)
"""How older versions saved a number that is not an ``int`` or ``float``: ``UNSERIALIZABLE[np.int64(8)]``."""


def plain(value: Any, lost: list[str] | None = None) -> Any:
    """``value`` of JSON's kinds alone.

    Numbers of any library are numbers, arrays and tuples are lists, sets are lists in a fixed order, keys are text.
    What is left is told by its text: other objects, cycles, great depth, half a character.

    Args:
        value: anything.
        lost: takes the text of each number that JSON has no form for (``nan``, ``inf``), which becomes ``None``.
    """
    return _plain(value, [] if lost is None else lost, [])


def json_text(content: Any, indent: int | None = None) -> str:
    """A file's text, which every reader of JSON takes, whatever is in ``content``."""
    try:
        return json.dumps(content, indent=indent, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # an object, a key that is no text, a cycle, nan
        return json.dumps(plain(content), indent=indent, allow_nan=False)


def as_compared(value: Any) -> Any:
    """Equal for equal values, live or saved, by an older Tailgate too; where an object lay in memory does not count."""
    return _as_compared(plain(value))


def shown(value: Any) -> str:
    """The value's ``repr``, or its type's name where it has none."""
    try:
        return text_of(repr(value))
    except Exception:  # whatever a foreign __repr__ raises; RecursionError of a deep one
        return f"<{type(value).__name__}>"


def key_text(key: Any) -> str:
    """A dictionary's key as JSON has it: the text of a number is the same for numbers of all libraries."""
    found = as_python(key)
    if isinstance(found, str):
        return text_of(found)
    return json.dumps(found) if found is None or isinstance(found, bool) else shown(found)


def text_of(text: str) -> str:
    """The text with half characters, as from a file name that is not UTF-8, written as escapes."""
    return text.encode("utf8", "backslashreplace").decode()


def _plain(value: Any, lost: list[str], around: list[int]) -> Any:
    value = as_python(value)
    if isinstance(value, str):
        return text_of(value)
    if value is None or isinstance(value, bool) or is_number(value):
        return value
    if isinstance(value, float):
        lost.append(str(value))
        return None
    inside = _inside(value)
    if inside is None or id(value) in around or len(around) >= DEEPEST:
        return f"UNSERIALIZABLE[{shown(value)}]"
    around.append(id(value))
    try:
        if isinstance(inside, dict):
            return _with_text_keys(inside, lost, around)
        found = [_plain(one, lost, around) for one in inside]
        return sorted(found, key=_in_order) if isinstance(value, set | frozenset) else found
    finally:
        around.pop()


def _inside(value: Any) -> dict[Any, Any] | list[Any] | None:
    """What a collection holds; ``None``: it is none that is known."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    try:
        if isinstance(value, Mapping):
            return dict(value)
        return _elements(value)
    except Exception:  # whatever a foreign class raises: it is told by its text
        return None


def _elements(value: Any) -> list[Any] | None:
    """The elements of an array or a tensor."""
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not callable(getattr(value, "tolist", None)):
        return None
    if math.prod(shape) <= MOST_ELEMENTS:
        found = value.tolist()
        return found if isinstance(found, list) else None
    return [str(value.dtype), [int(size) for size in shape], hashlib.sha256(memoryview(value).tobytes()).hexdigest()]


def _in_order(value: Any) -> tuple[str, Any]:
    """Numbers by size, everything else by its text."""
    return ("", value) if is_number(value) else (type(value).__name__, json.dumps(value))


def _with_text_keys(value: dict[Any, Any], lost: list[str], around: list[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for given, one in value.items():
        name = key_text(given)
        while name in found:  # 1 and "1" are two
            name += "'"
        found[name] = _plain(one, lost, around)
    return found


def _as_compared(value: Any) -> Any:
    if isinstance(value, str):
        older = OLDER_NUMBER.fullmatch(value)
        return _older_number(older[1]) if older else ADDRESS.sub("", value)
    if isinstance(value, list):
        return [_as_compared(one) for one in value]
    if isinstance(value, dict):
        return {key: _as_compared(one) for key, one in value.items()}
    return value


def _older_number(text: str) -> Any:
    if text in {"True", "False"}:
        return text == "True"
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:  # 1.2.3
        return text
