"""Programs that others bring along: are they installed, and do they run here?"""

from __future__ import annotations

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.install import install_command
from tailgate.machine.doctor.model import Verdict


def runnable(host: Host, name: str) -> Verdict:
    """Found, and asked for its version: some are scripts that may find nothing to start."""
    path = host.which(name)
    if path is None:
        return Verdict("missing", "not installed", install_command(host, name))
    done = host.run([name, "--version"])
    if done.code != 0:
        text = " ".join((done.err or done.out).split())[:120]
        return Verdict("missing", f"{path} does not work: {text}", install_command(host, name))
    return Verdict("ok", f"{done.out} ({path})")
