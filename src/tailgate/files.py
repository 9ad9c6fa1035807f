"""Whole files, or the files as they were."""

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
