"""Where the cluster is: ``auto``, or ``HOST:PORT``, tried before Ray waits a minute for it."""

import socket

from tailgate.errors import TailgateError, one_line

AUTO = "auto"
CONNECT_S = 5.0
START = "start Ray on each machine: ray start --head --port=6379, then ray start --address=HOST:6379"


def check_address(address: str) -> None:
    """Try it.

    Raises:
        TailgateError: it is none, or nothing answers there.
    """
    if address == AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 2**16:
        raise TailgateError(f"--address: {address!r} is no address (allowed: auto, HOST:PORT); {START}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, UnicodeError, ValueError) as error:
        raise TailgateError(f"--address: nothing answers at {address} ({one_line(error)}); {START}") from error
