"""Names of files that every file system keeps apart and every web server shows, whatever they are named after."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, count

NOT_PORTABLE = re.compile(r"[^A-Za-z0-9._-]")
"""What is not in POSIX's portable filename character set (IEEE 1003.1, 3.265)."""
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""Windows' devices, whatever the ending."""


def stems(names: Iterable[str], most: int, taken: Iterable[str] = ()) -> Iterator[str]:
    """A stem for each name: its own as far as it can be one, numbered where two are alike.

    Names that differ in case alone are alike to Windows and macOS. Jekyll, of which GitHub Pages is made, leaves out
    what begins with a dot or an underscore.

    Args:
        names: any texts.
        most: characters of a stem before its number.
        taken: stems that somebody else has.
    """
    used = {one.lower() for one in taken}
    for name in names:
        stem = _stem(name, most)
        found = next(
            one for one in chain([stem], (f"{stem}-{number}" for number in count(2))) if one.lower() not in used
        )
        used.add(found.lower())
        yield found


def _stem(name: str, most: int) -> str:
    stem = NOT_PORTABLE.sub("_", name)[:most].strip("._-") or "unnamed"
    return f"file-{stem}"[:most].rstrip("._-") if RESERVED.match(stem) else stem
