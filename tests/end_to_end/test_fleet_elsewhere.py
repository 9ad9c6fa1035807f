"""``tailgate fleet`` at an address where no Ray is: it ends, with one line, whatever listens there."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from patience import PATIENCE_S

from tailgate.fleet.address import CHECK, RAYS_PATIENCE

pytestmark = pytest.mark.end_to_end
COMMAND = "import sys; from tailgate.commands.main import main; sys.exit(main())"
GREETING = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


def lines(folder: Path, action: str, address: str) -> list[str]:
    """What the command said."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    variables |= dict.fromkeys(RAYS_PATIENCE, "1")  # the user's own is obeyed, and this need not wait for ours
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "fleet", action, f"--address={address}"],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (4, "")
    return done.stderr.splitlines()


def greet(server: socket.socket) -> None:
    """Answer each connection as gRPC begins to, and never go on, until the server is shut down."""
    connections = []
    try:
        while True:
            connection, _ = server.accept()
            connections.append(connection)
            connection.sendall(GREETING)
    except OSError:
        for connection in connections:
            connection.close()


def test_what_never_answers_is_waited_for_until_a_deadline(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        (line,) = lines(tmp_path, "run", address)
    assert line.startswith(f"tailgate: error: --address: what listens at {address} is not Ray")
    assert line.endswith(CHECK)


def test_what_only_greets_is_waited_for_until_a_deadline(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'tailgate[fleet]'")
    with socket.create_server(("", 0)) as server:  # Ray goes to the address of the interface
        threading.Thread(target=greet, args=(server,)).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        *_, line = lines(tmp_path, "status", address)  # Ray's C++ has warned before
        server.shutdown(socket.SHUT_RDWR)
    assert line.startswith(f"tailgate: error: --address: {address} cannot be joined (no Ray cluster answered there")
    assert line.endswith(CHECK)


def test_where_nothing_listens_it_is_said_at_once(tmp_path: Path) -> None:
    (line,) = lines(tmp_path, "run", "127.0.0.1:1")
    assert "nothing answers at 127.0.0.1:1" in line
