"""The cluster's address, before Ray is asked."""

import socket

import pytest

from tailgate.errors import TailgateError
from tailgate.fleet.address import check_address


def test_auto_and_what_answers_are_taken() -> None:
    check_address("auto")
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_address(f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize("address", ["nowhere", "h:", ":1", "h:99999", "h:0", "h:²", "ray://h:x", "", "a\nb:1\x1b"])
def test_what_is_no_address_is_one_line(address: str) -> None:
    with pytest.raises(TailgateError, match=r"(is no address \(allowed: auto, HOST:PORT\)|nothing answers)") as caught:
        check_address(address)
    assert "ray start --head" in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "." * 300, "x" * 10_000])
def test_where_nothing_answers_that_is_said(host: str) -> None:
    with pytest.raises(TailgateError, match="nothing answers at"):
        check_address(f"{host}:1")
