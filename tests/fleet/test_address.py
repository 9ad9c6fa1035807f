"""The cluster's address, before Ray is asked."""

import socket
import threading

import pytest

from tailgate.errors import TailgateError
from tailgate.fleet import address as module
from tailgate.fleet.address import check_address


def listening(*answers: bytes) -> tuple[socket.socket, str]:
    """A server that gives one connection these answers and hangs up; without any, it never answers."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            for answer in answers:
                connection.sendall(answer)
            connection.recv(100)

    if answers:
        threading.Thread(target=serve).start()
    return server, f"127.0.0.1:{server.getsockname()[1]}"


def test_auto_and_what_greets_as_ray_does_are_taken() -> None:
    check_address("auto")
    server, address = listening(bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
    with server:
        check_address(address)


@pytest.mark.parametrize("answers", [(), (b"HTTP/1.1 400 Bad Request\r\n\r\n",), (b"",), (b"\0\0\0",)])
def test_what_is_not_ray_is_one_line(answers: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 0.5)
    server, address = listening(*answers)
    with server, pytest.raises(TailgateError, match=rf"what listens at {address} is not Ray: .*; give the address"):
        check_address(address)


@pytest.mark.parametrize("address", ["nowhere", "h:", ":1", "h:99999", "h:0", "h:²", "ray://h:x", "", "a\nb:1\x1b"])
def test_what_is_no_address_is_one_line(address: str) -> None:
    with pytest.raises(TailgateError, match=r"(is no address \(allowed: auto, HOST:PORT\)|nothing answers)") as caught:
        check_address(address)
    assert "ray start --head" in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "." * 300, "x" * 10_000])
def test_where_nothing_answers_that_is_said(host: str) -> None:
    with pytest.raises(TailgateError, match="nothing answers at"):
        check_address(f"{host}:1")
