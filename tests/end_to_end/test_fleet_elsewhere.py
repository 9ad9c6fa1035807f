"""``tailgate fleet`` at an address where no Ray is: it ends, with one line, whether something listens there or not."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE_S

from tailgate.fleet.address import CHECK, RAYS_PATIENCE

pytest.importorskip("ray", reason="pip install 'tailgate[fleet]'")
pytestmark = pytest.mark.end_to_end
COMMAND = "import sys; from tailgate.commands.main import main; sys.exit(main())"


def one_line(folder: Path, action: str, address: str) -> str:
    """What the command said."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    variables |= dict.fromkeys(RAYS_PATIENCE, "1")  # the user's own is obeyed, and this need not wait for ours
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "fleet", action, f"--address={address}"],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (4, "")
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("action", ["status", "run"])
def test_what_never_answers_is_waited_for_until_a_deadline(tmp_path: Path, action: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        line = one_line(tmp_path, action, address)
    assert line.startswith(f"tailgate: error: --address: {address} cannot be joined (no Ray cluster answered")
    assert line.endswith(CHECK)


def test_where_nothing_listens_it_is_said_at_once(tmp_path: Path) -> None:
    assert "nothing answers at 127.0.0.1:1" in one_line(tmp_path, "run", "127.0.0.1:1")
