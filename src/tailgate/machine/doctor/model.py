"""What a check answers: a state, one sentence, and the command that helps where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from tailgate.machine.doctor.host import Host

State = Literal["ok", "note", "disturbs", "missing", "unknown"]
STATES: dict[State, str] = {
    "ok": "as it should be",
    "note": "worth knowing; nothing has to be done, or nothing can be done here",
    "disturbs": "will disturb measurements; only these make the exit code 1",
    "missing": "cannot be measured here",
    "unknown": "could not be read",
}


class Verdict(NamedTuple):
    """A check's answer before it has a topic."""

    state: State
    text: str
    remedy: str | None = None
    """A command the user may run as it stands; never run by us."""


@dataclass(frozen=True)
class Finding:
    """One line of the examination."""

    topic: str
    state: State
    text: str
    remedy: str | None = None


@dataclass(frozen=True)
class Check:
    """One topic and its check; ``find`` returns ``None`` where there is nothing to report."""

    topic: str
    find: Callable[[Host], Verdict | None]
    linux_only: bool = True
