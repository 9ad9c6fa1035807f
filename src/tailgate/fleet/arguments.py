"""The pytest arguments of a fleet run: what is the fleet's to do at home, and what each node's session is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tailgate.errors import TailgateError
from tailgate.gates.saved.baselines import SERIES_NAME

DEFAULT_NAME = "fleet"
NOT_OURS: Mapping[str, str] = {
    "--duet": "a duet judges two sides on one machine; run pytest --duet there",
    "--journal": "the fleet keeps a journal for each node itself; --resume goes on from them",
    "--benchmark-json": "each node's run is saved in the baselines; name it with --benchmark-save=NAME",
    "--benchmark-autosave": "name the runs with --benchmark-save=NAME",
    "--benchmark-storage": "saved runs are kept here; name the folder with tailgate fleet run --storage=DIR",
    "--csv": "it would stay on the node; tailgate compare --csv=FILE makes one of the saved runs",
    "--report": "it would stay on the node; tailgate report makes one of the saved runs",
    **dict.fromkeys(
        ("--benchmark-disable", "--benchmark-skip", "--collect-only", "--co"), "nothing would be measured; leave it out"
    ),
    "--numprocesses": "pytest-xdist turns benchmarks off; a node measures one at a time",
    "--junitxml": "it would stay on the node; the exit code and the verdict table are here",
    "--junit-xml": "it would stay on the node; the exit code and the verdict table are here",
}
"""pytest options that a node's session cannot be given, and what to do instead."""
VALUED = frozenset({"--benchmark-save", "--benchmark-compare", "--isolation"})
"""Those that are taken out, and have a value."""


@dataclass(frozen=True)
class Arguments:
    """What was asked of pytest, taken apart."""

    measuring: tuple[str, ...]
    """For each session, whatever it is compared with."""
    name: str = DEFAULT_NAME
    """What the runs are saved under: ``--benchmark-save``."""
    compare: str | None = None
    """The saved runs to judge by: ``--benchmark-compare=NAME``."""
    gate: bool = False
    resume: bool = False

    @property
    def judging(self) -> tuple[str, ...]:
        """What a session is told beside, where its machine has saved runs of that name."""
        compare = () if self.compare is None else (f"--benchmark-compare={self.compare}",)
        return (*compare, *(("--gate",) if self.gate else ()))


def parsed(arguments: Sequence[str]) -> Arguments:
    """Take pytest's arguments apart.

    Raises:
        TailgateError: one cannot be obeyed on a node, or names what it must not.
    """
    measuring: list[str] = []
    name, compare, gate, resume = DEFAULT_NAME, None, False, False
    waiting = list(arguments)
    while waiting:
        text = waiting.pop(0)
        option, equals, value = text.partition("=")
        if option in NOT_OURS:
            raise TailgateError(f"fleet run: {option} cannot be given to a node's session: {NOT_OURS[option]}")
        if option in VALUED:
            if not equals:
                value = waiting.pop(0) if waiting and not waiting[0].startswith("-") else ""
            if option == "--benchmark-save":
                name = _word(option, value)
            elif option == "--benchmark-compare":
                compare = _word(option, value)
            elif value != "process":
                raise TailgateError(
                    "fleet run: a node's results come home one by one through --isolation=process; leave the other out"
                )
        elif text == "--gate":
            gate = True
        elif text == "--resume":
            resume = True
        else:
            measuring.append(text)
    if gate and compare is None:
        raise TailgateError("fleet run: --gate judges against saved runs: add --benchmark-compare=NAME after the --")
    return Arguments((*measuring, "--isolation=process"), name, compare, gate, resume)


def _word(option: str, value: str) -> str:
    if not SERIES_NAME.fullmatch(value):
        raise TailgateError(f"fleet run: {option}={value!r} is not a name (allowed: letters, digits, . _ -)")
    return value
