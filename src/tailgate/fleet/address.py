"""Where the cluster is: ``auto``, or ``HOST:PORT``, tried before Ray is imported; how long Ray may try to join it."""

import os
import socket

from tailgate.errors import TailgateError, one_line

AUTO = "auto"
CONNECT_S = 5.0
JOIN_S = 10
RAYS_PATIENCE = {"RAY_py_gcs_connect_timeout_s": str(JOIN_S), "RAY_gcs_server_port_wait_time_s": "1"}
"""Seconds for one attempt to join, and how many attempts. Ray 2.60.0 takes 20 of 30 s each where nobody says so."""
START = "start Ray on each machine: ray start --head --port=6379, then ray start --address=HOST:6379"
CHECK = (
    "give the address that `ray start --head` printed there (its port is 6379 unless --port says another), "
    "and ask Ray itself: ray status --address=HOST:PORT"
)


def check_address(address: str) -> None:
    """Try it, and let Ray, where it is imported after this, wait no longer than a user would.

    Raises:
        TailgateError: it is none, or nothing answers there.
    """
    for name, value in RAYS_PATIENCE.items():
        os.environ.setdefault(name, value)
    if address == AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 2**16:
        raise TailgateError(f"--address: {address!r} is no address (allowed: auto, HOST:PORT); {START}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, UnicodeError, ValueError) as error:
        raise TailgateError(f"--address: nothing answers at {address} ({one_line(error)}); {START}") from error
