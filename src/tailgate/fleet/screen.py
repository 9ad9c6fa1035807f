"""Progress over all nodes: one table that is drawn anew on a terminal; elsewhere a line where something changed."""

import contextlib
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tailgate.fleet.states import NodeState, lines
from tailgate.text import counted, printable


class Screen:
    """Shows the states of the nodes."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._live: Live | None = None
        self._told: dict[str, str] = {}
        self._unmeasured: dict[str, int] = {}

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Meanwhile the table is on the terminal; its last state stays there."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=4, redirect_stdout=False, redirect_stderr=False) as live:
            self._live = live
            yield
        self._live = None

    def show(self, states: Sequence[NodeState]) -> None:
        """Draw the table, or write what changed."""
        if self._live is not None:
            self._live.update(Text("\n".join(lines(states, self._console.height - 1)), no_wrap=True, overflow="crop"))
            return
        for one in states:
            name = one.node.name
            self._note_unmeasured(one)
            # Of a node that measures, each benchmark would be a line; that it measures is one.
            now = counted(one.total or 0, "benchmarks") if one.phase == "measuring" else one.now
            if one.phase == "finished":
                now = f"{one.done} of {one.total} {now}".rstrip()
            phase = "" if one.phase == "preparing" else one.phase  # "unpacking" says it
            said = " ".join(filter(None, (f"{name}:", phase, now)))
            if self._told.get(name) != said:
                self._told[name] = said
                self.say(said)

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(Text(printable(text)), soft_wrap=True)

    def _note_unmeasured(self, one: NodeState) -> None:
        known = self._unmeasured.get(one.node.name, 0)
        for line in one.unmeasured[known:]:
            self.say(f"{one.node.name}: {line}")
        self._unmeasured[one.node.name] = len(one.unmeasured)
