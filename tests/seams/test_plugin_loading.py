"""What is imported when the plug-in is loaded: little, and nothing that is not everywhere."""

from suite import printed

LOAD = """
import sys
for name in ("fcntl", "termios", "pwd", "grp"):
    sys.modules.pop(name, None)
    sys.modules[name] = None  # as on Windows: importing it fails
import tailgate.plugin
print(*(name for name in sys.modules if name.startswith("tailgate.")))
"""


def test_the_plug_in_loads_where_posix_has_nothing_and_without_what_only_isolation_needs() -> None:
    loaded = printed(LOAD).split()
    assert "tailgate.processes.child" in loaded
    assert "tailgate.processes.isolation" not in loaded
    assert "tailgate.processes.start_method" not in loaded
