"""Whole files, or the files as they were; and where files lie that can be made again."""

import os
import tempfile
from pathlib import Path


def replace_text(file: Path, text: str) -> None:
    """The file anew, whole or as it was.

    Raises:
        OSError: it could not be written.
    """
    replace_bytes(file, text.encode("utf8", "backslashreplace"))


def replace_bytes(file: Path, content: bytes) -> None:
    """The file anew, whole or as it was.

    Raises:
        OSError: it could not be written.
    """
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".saving-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    finally:
        Path(temporary).unlink(missing_ok=True)


def cache_folder() -> Path:
    """``$TAILGATE_CACHE``, else ``$XDG_CACHE_HOME/tailgate``, else ``~/.cache/tailgate``."""
    own = os.environ.get("TAILGATE_CACHE")
    if own:
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tailgate"
