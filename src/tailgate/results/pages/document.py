"""A whole page of HTML: it opens from disk, fetches nothing, and runs its own script alone.

``layout.html``, ``page.css`` and ``page.js`` lie beside this file. The page's Content-Security-Policy names the style
and the script by their hashes, so nothing that a run's names may hold runs, is fetched or styles anything.
"""

import base64
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tailgate.errors import TailgateError

HERE = Path(__file__).parent
GENERATOR = b'<meta name="generator" content="Tailgate">'
"""In the head of every page (``layout.html``)."""
HEAD_BYTES = 1_000
LONGEST_CELL, LONGEST_LINE = 300, 2_000
"""Characters; a name of ten thousand would hide all others."""


def document(template: Path, title: str, **values: Any) -> str:
    """The template, which extends ``layout.html``, with these values; each is escaped, whatever it is."""
    style, script = ((HERE / f"page.{suffix}").read_text(encoding="utf8") for suffix in ("css", "js"))
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    made: str = _template(template).render(title=title, style=style, script=script, policy=policy, **values)
    return made + "\n"


def only_own(flag: str, folder: Path, names: Iterable[str]) -> None:
    """Nothing but a site of Tailgate is replaced.

    Raises:
        TailgateError: the folder has one of these files, and neither its ``index.html`` nor the file is Tailgate's.
    """
    try:
        if _is_own(folder / "index.html"):
            return
        there = [file for name in names if (file := folder / name).exists()]
        foreign = [file for file in there if not _is_own(file)]
    except OSError as error:
        raise TailgateError(f"{flag}: {folder} cannot be read ({error.strerror or error})") from error
    if foreign:
        raise TailgateError(f"{flag}: {foreign[0]} is there, and Tailgate did not write it; name another folder")


def _is_own(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return GENERATOR in stream.read(HEAD_BYTES)


@functools.lru_cache
def _template(file: Path) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader([file.parent, HERE]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(file.name)


def shortened(text: str, most: int = LONGEST_CELL) -> str:
    """Text, with the number of its characters where they are not all there."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _hash(text: str) -> str:
    """As a policy names it (Content Security Policy Level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
