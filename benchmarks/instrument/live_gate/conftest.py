"""How much slower the benchmarks of this folder are made on purpose, in percent of the call, is an option."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``off`` on the base side: nothing is made slower there."""
    parser.addoption("--slower", default="on", choices=["on", "off"], help="make the benchmarks named so slower")
    parser.addoption("--scaled", type=int, default=0, help="how many benchmarks are 20 % slower in each single call")
    parser.addoption("--slower-each", type=int, default=1, help="how many benchmarks are 3, 5 and 10 % slower, each")
    parser.addoption("--same", type=int, default=12, help="how many benchmarks are the same on both sides")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``same-0`` ... and, where ``--slower=on``, one each that is 3, 5 and 10 % slower, and some whose P99 is, too."""
    if "slower_rel" in metafunc.fixturenames:
        same = [pytest.param(0.0, id=f"same-{number}") for number in range(metafunc.config.getoption("--same"))]
        slower = [
            pytest.param(percent / 100, id=f"slower-{percent}%-{number}")
            for percent in (3, 5, 10)
            for number in range(metafunc.config.getoption("--slower-each"))
        ]
        scaled = [
            pytest.param(0.2, id=f"scaled-20%-{number}") for number in range(metafunc.config.getoption("--scaled"))
        ]
        metafunc.parametrize("slower_rel", [*same, *slower, *scaled])
