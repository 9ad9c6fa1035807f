"""The priority of a session on a node: that of the raylet, and not the one that Ray gives its workers.

Ray 2.60 starts each worker at nice 15, and as the first victim of the kernel's out-of-memory killer. A child inherits
both.
"""

import contextlib
import os
from pathlib import Path

from tailgate.machine.cpus import contents

OOM = "oom_score_adj"


def take_after(raylet: int | None, proc: Path = Path("/proc")) -> str | None:
    """Give this thread, and what it starts from now on, the raylet's priority; a thread has a nice value of its own.

    Returns:
        ``None``: it has it; else one line on what it lacks.
    """
    if raylet is None:
        return None
    with contextlib.suppress(OSError, UnicodeDecodeError):  # without the right to, it stays as it is
        own = proc / "self" / OOM
        wanted = contents(proc / str(raylet) / OOM)
        if contents(own) != wanted:
            own.write_text(wanted)
    try:
        nice = os.getpriority(os.PRIO_PROCESS, raylet)
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    except ProcessLookupError:
        return None
    except PermissionError:
        return (
            f"its session runs at nice {os.getpriority(os.PRIO_PROCESS, 0)}, so all else there comes before it; "
            "start Ray there with RAY_worker_niceness=0 in the environment"
        )
    return None
