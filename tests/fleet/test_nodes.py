"""Which nodes ``--nodes`` names."""

import pytest

from tailgate.errors import TailgateError
from tailgate.fleet.nodes import Node, chosen, named_apart

HEAD = Node("0", "head", 0.0)
BIG = Node("1", "big", 64.0, 8.0, {"pool": "epyc", "ray.io/node-id": "1"})
SMALL = Node("2", "small", 2.0, labels={"pool": "xeon"})
GONE = Node("3", "gone", 2.0, labels={"pool": "old"}, alive=False)
NODES = [HEAD, BIG, SMALL, GONE]


def test_all_are_those_that_are_alive_and_have_cpus_for_ray() -> None:
    found, remarks = chosen(NODES, "all")
    assert found == [BIG, SMALL]
    assert remarks == ["Left out, because Ray has no CPU there (--num-cpus=0): head"]


def test_a_number_and_a_label() -> None:
    assert chosen(NODES, "1")[0] == [BIG]
    assert chosen(NODES, "pool=xeon") == ([SMALL], [])


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("3", "3 are wanted, 2 are there"),
        ("0", "names no nodes"),
        ("", "names no nodes"),
        ("²", "names no nodes"),
        ("some", "allowed: all, a number from 1, LABEL=VALUE"),
        ("pool=xenon", r"did you mean 'xeon'.*allowed: epyc, xeon"),
        ("pol=xeon", "did you mean 'pool'"),
        ("=", "unknown label"),
    ],
)
def test_what_names_none_is_one_line(wanted: str, said: str) -> None:
    with pytest.raises(TailgateError, match=said):
        chosen(NODES, wanted)


def test_without_labels_the_command_that_gives_one_is_named() -> None:
    with pytest.raises(TailgateError, match="ray start --labels pool=epyc"):
        chosen([HEAD], "pool=epyc")
    with pytest.raises(TailgateError, match="no node with a CPU"):
        chosen([HEAD], "all")


def test_nodes_of_one_host_are_numbered() -> None:
    found = named_apart([Node("b", "host", 1.0), Node("c", "other", 1.0), Node("a", "host", 2.0)])
    assert [(one.name, one.id) for one in found] == [("host-1", "a"), ("host-2", "b"), ("other", "c")]
