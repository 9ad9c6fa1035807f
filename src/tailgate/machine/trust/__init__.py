"""Can a benchmark's numbers be trusted? From the kernel's own accounts around it, and from a calibration kernel.

- ``readings``: what the kernel says right before and right after the timed rounds;
- ``accounts``: one function a file of ``/proc`` and ``/sys``; ``own``: which CPUs and CPU seconds are ours;
- ``stretch``: what happened between two readings; ``rules``: when that is too much; ``judgement``: the verdict;
- ``calibration``: a fixed piece of work, timed now and again; ``drift``: whether its times changed;
- ``quiet``: wait until the others have finished.

docs/guide/trust.md has every field, threshold and blind spot.
"""

from tailgate.machine.trust.calibration import Calibration, calibrate
from tailgate.machine.trust.drift import compared, distance, drift, remark, typical
from tailgate.machine.trust.judgement import Judgement, judge
from tailgate.machine.trust.quiet import wait_until_quiet
from tailgate.machine.trust.readings import Reading, read
from tailgate.machine.trust.stretch import read_since

__all__ = [
    "Calibration", "Judgement", "Reading", "calibrate", "compared", "distance", "drift", "judge", "read", "read_since",
    "remark", "typical", "wait_until_quiet",
]  # fmt: skip
