"""What is imported when the plug-in is loaded: little, and nothing that is not everywhere."""

import subprocess
import sys

LOAD = """
import sys
for name in ("fcntl", "termios", "pwd", "grp"):
    sys.modules.pop(name, None)
    sys.modules[name] = None  # as on Windows: importing it fails
import tailgate.plugin
print(*(name for name in sys.modules if name.startswith("tailgate.")))
"""


def test_the_plug_in_loads_where_posix_has_nothing_and_without_what_only_isolation_needs() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "tailgate.processes.child" in loaded
    assert "tailgate.processes.isolation" not in loaded
    assert "tailgate.processes.start_method" not in loaded
