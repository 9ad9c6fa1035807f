"""Pictures of a page: a section has a caption that says what is to be seen, and a panel for each group of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tailgate.results.saved_run import Run


@dataclass(frozen=True)
class Panel:
    """One picture."""

    title: str
    """As text, whatever was in the file."""
    summary: str
    """What it shows, in words, for whoever cannot see it."""
    figure: Any
    """Of matplotlib, without a title of its own."""
    note: str = ""
    """Which rows are drawn, where they are not all."""
    wide: bool = False
    """Whether it needs a page's whole width."""
    svg: str = ""
    """The figure as an element of a page, once it is one."""


@dataclass(frozen=True)
class Section:
    """Pictures of one kind."""

    name: str
    """Of letters and hyphens: a part of a file's name."""
    title: str
    caption: str
    panels: Sequence[Panel]
    left_out: str = ""
    """What is not drawn, and why."""


@dataclass(frozen=True)
class NotDrawn:
    """A kind of picture that these rows cannot have."""

    title: str
    reason: str
    asked: bool = True
    """Whether rows are there for it, or every run has them: then the reason stands in the picture's place. What no row
    was measured for stands apart, folded."""


class Kind(Protocol):
    """One kind of picture: a module with these two names."""

    TITLE: str

    def section(self, run: Run) -> Section | NotDrawn:
        """Its pictures of a saved run, drawn with the functions of :mod:`tailgate.results.pictures`."""
