"""What is imported when the plug-in is loaded: little, and nothing that is not everywhere."""

from pathlib import Path

from suite import printed

LOAD = """
import sys
for name in ("fcntl", "termios", "pwd", "grp"):
    sys.modules.pop(name, None)
    sys.modules[name] = None  # as on Windows: importing it fails
import tailgate.plugin
print(*sys.modules)
"""
COLLECT = """
import sys
import pytest
assert pytest.main(["--collect-only", "-p", "no:cacheprovider", *sys.argv[1:]]) == 5
print()
print(*sys.modules)
"""
ONLY_TO_MEASURE = (
    "tailgate.gates.duet", "tailgate.gates.saved", "tailgate.machine.doctor", "tailgate.machine.nvml",
    "tailgate.machine.trust", "tailgate.measure.fixture", "tailgate.measure.watch", "tailgate.meters",
    "tailgate.processes.child", "tailgate.processes.isolation", "tailgate.processes.messages",
    "tailgate.processes.spawning", "tailgate.processes.start_method", "psutil", "numpy", "scipy",
)  # fmt: skip


def test_the_plug_in_loads_where_posix_has_nothing_and_without_what_only_measuring_needs() -> None:
    loaded = printed(LOAD).split()
    assert "tailgate.session.run" in loaded
    assert not set(ONLY_TO_MEASURE) & set(loaded)


def test_a_session_that_asks_nothing_of_it_imports_none_of_that_either(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    loaded = printed(COLLECT, str(tmp_path)).splitlines()[-1].split()
    assert "tailgate.session.run" in loaded
    assert not set(ONLY_TO_MEASURE) & set(loaded)
    benchmarking = printed(COLLECT, "--protocol=quick", str(tmp_path)).splitlines()[-1].split()
    assert {"tailgate.measure.watch", "tailgate.machine.trust", "tailgate.meters"} <= set(benchmarking)
