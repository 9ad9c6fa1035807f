"""A path on the command line."""

import argparse
from pathlib import Path


def path(text: str) -> Path:
    """The path; an empty one, such as of a variable that is not set, would be the current folder.

    Raises:
        ArgumentTypeError: it is empty.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} names no file or folder")
    return Path(text)
