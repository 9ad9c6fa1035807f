"""A pytest plug-in that notes how long each process was timing or warming up: ``pytest -p timed_part``.

A benchmark's process appends ``seconds test`` to the file that ``TAILGATE_TIMED_PART`` names. A retry appends, too.
"""

import functools
import os
import time
from pathlib import Path
from typing import Any

from tailgate.measure.by_protocol import ByProtocol

_measure = ByProtocol.measure


@functools.wraps(_measure)
def _timed(self: ByProtocol, call: Any, fixture: Any) -> Any:
    start_s = time.perf_counter()
    try:
        return _measure(self, call, fixture)
    finally:
        with Path(os.environ["TAILGATE_TIMED_PART"]).open("a") as file:
            file.write(f"{time.perf_counter() - start_s:.3f} {fixture.item.nodeid}\n")


ByProtocol.measure = _timed  # type: ignore[method-assign]
