"""Where the cluster is: ``auto``, or ``HOST:PORT``, tried before Ray is imported; how long Ray may try to join it."""

import contextlib
import os
import socket

from tailgate.errors import TailgateError, one_line

AUTO = "auto"
CONNECT_S = 5.0
RAYS_PATIENCE = {
    "RAY_gcs_rpc_server_connect_timeout_s": "2",  # on each of two channels
    "RAY_py_gcs_connect_timeout_s": "10",
    "RAY_gcs_server_port_wait_time_s": "1",  # how many attempts
}
"""About 15 s in all. Ray 2.60.0 makes 20 attempts of 40 s where nobody says so."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How an HTTP/2 client begins (RFC 9113, 3.4); a server, as that of gRPC is, answers with a frame of type 4."""
START = "start Ray on each machine: ray start --head --port=6379, then ray start --address=HOST:6379"
CHECK = (
    "give the address that `ray start --head` printed there (its port is 6379 unless --port says another), "
    "and ask Ray itself: ray status --address=HOST:PORT"
)


def check_address(address: str) -> None:
    """Try it, and let Ray, where it is imported after this, wait no longer than a user would.

    Raises:
        TailgateError: it is none, nothing answers there, or what answers is not Ray.
    """
    for name, value in RAYS_PATIENCE.items():
        os.environ.setdefault(name, value)
    if address == AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 2**16:
        raise TailgateError(f"--address: {address!r} is no address (allowed: auto, HOST:PORT); {START}")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_S) as connection:
            ray = os.environ.get("RAY_USE_TLS", "0").lower() in {"1", "true"} or _greets(connection)
    except (OSError, UnicodeError, ValueError) as error:
        raise TailgateError(f"--address: nothing answers at {address} ({one_line(error)}); {START}") from error
    if not ray:
        raise TailgateError(f"--address: what listens at {address} is not Ray: it did not greet as gRPC does; {CHECK}")


def _greets(connection: socket.socket) -> bool:
    with contextlib.suppress(OSError):  # it says nothing, or hangs up
        connection.sendall(PREFACE)
        return connection.recv(4)[3:] == b"\x04"
    return False
