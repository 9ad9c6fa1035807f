"""``--meters=rss``: what a benchmark needs is growth, also where memory was freed before it."""

import json
import platform

import pytest
from suite import printed

from tailgate.meters.resident_memory import METER

FREED_BEFORE = """
import json
from tailgate.meters.resident_memory import METER

def touched(blocks):
    return [b"x" * 60_000 for _ in range(blocks)]  # of malloc's heap: too large for Python's own, too small for a map

before, last = touched(1000), touched(1)
del before  # the allocator keeps it, because something lies above
mark = METER.before_setup()
after = touched(500)
print(json.dumps(METER.start(mark, threads=1).stop()))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim is glibc's")
def test_memory_that_was_freed_before_the_mark_hides_no_growth() -> None:
    if reason := METER.unavailable():
        pytest.skip(reason)
    found = json.loads(printed(FREED_BEFORE))
    assert 0.95 * 30_000_000 < found["rss_growth_bytes"] < 1.2 * 30_000_000
    assert found["rss_growth_bytes"] < found["rss_peak_bytes"]
