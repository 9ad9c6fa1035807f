"""A large JSON object read member by member, so that its text is never in memory whole."""

import json
import re
from collections.abc import Callable
from typing import IO, Any

CHUNK = 1 << 20
"""Characters that are read at once; more where a value is longer."""
WHITE = re.compile(r"[ \t\n\r]*")


def by_members(
    stream: IO[str], decoder: json.JSONDecoder, rows: str, each: Callable[[Any], None] | None
) -> dict[str, Any] | None:
    """The object as ``decoder`` reads it; ``None``: it is none, or broken, which the whole text tells best.

    Args:
        stream: the text.
        decoder: of its values.
        rows: the member that is a long list: its elements are read one by one.
        each: called with each element of it, while the others are not yet read.
    """
    text = _Text(stream, decoder)
    try:
        found: dict[str, Any] = {}
        more = text.opens("{", "}")
        while more:
            name = text.value()
            text.take(":")
            if name == rows and text.peek() == "[":
                found[name] = elements = []
                inner = text.opens("[", "]")
                while inner:
                    elements.append(text.value())
                    if each is not None:
                        each(elements[-1])
                    inner = text.take(",]") == ","
            elif isinstance(name, str):
                found[name] = text.value()
            else:
                return None
            more = text.take(",}") == ","
        return found if text.peek() == "" else None
    except ValueError:
        return None


class _Text:
    """The part of a text that is not read yet, as far as it is in memory."""

    def __init__(self, stream: IO[str], decoder: json.JSONDecoder) -> None:
        self._stream, self._decoder = stream, decoder
        self._text, self._at, self._ended = "", 0, False

    def peek(self) -> str:
        """The next character that is no white space; nothing at the end."""
        while True:
            self._at = WHITE.match(self._text, self._at).end()  # type: ignore[union-attr]  # matches nothing, too
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, allowed: str) -> str:
        """The next character, which has to be one of these.

        Raises:
            ValueError: it is not.
        """
        found = self.peek()
        if not found or found not in allowed:
            raise ValueError(f"{found!r} is none of {allowed!r}")
        self._at += 1
        return found

    def opens(self, bracket: str, closing: str) -> bool:
        """Whether anything follows the bracket; otherwise the closing one is taken, too."""
        self.take(bracket)
        if self.peek() != closing:
            return True
        self.take(closing)
        return False

    def value(self) -> Any:
        """The next value.

        Raises:
            ValueError: there is none.
        """
        self.peek()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
                if end < len(self._text) or not self._more():  # a number may go on
                    self._at = end
                    return found
            except ValueError:
                if not self._more():
                    raise

    def _more(self) -> bool:
        """Read on, at least as much as is left; whether there was anything."""
        if self._ended:
            return False
        self._text = self._text[self._at :]
        self._at = 0
        read = self._stream.read(max(CHUNK, len(self._text)))
        self._text += read
        self._ended = not read
        return bool(read)
