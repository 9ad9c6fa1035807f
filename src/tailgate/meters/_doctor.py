"""What ``tailgate doctor`` knows of a tool, as a meter's reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailgate.machine.doctor.host import Host
    from tailgate.machine.doctor.model import Verdict


def diagnosed(find: Callable[[Host], Verdict]) -> tuple[str | None, str]:
    """Why it cannot be used here, with the command that helps, or ``None``; and what the doctor said."""
    from tailgate.machine.doctor.host import Host, UnreadableError

    try:
        found = find(Host())
    except UnreadableError as error:
        return str(error), ""
    if found.state in ("ok", "note"):
        return None, found.text
    return found.text + (f": {found.remedy}" if found.remedy else ""), found.text
