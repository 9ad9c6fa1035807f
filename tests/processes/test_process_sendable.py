"""What of a benchmark's results can be sent home, and what becomes of the rest."""

import enum
import pickle
import socket
import warnings
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.processes.pickling import Sendable


class Colour(enum.IntEnum):
    RED = 1


class Bad:
    def __reduce__(self) -> Any:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        return "Bad()"


KNOWN = frozenset({"builtins", "collections", "copyreg", "decimal"})
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
)


@given(plain)
def test_plain_values_are_sent_as_they_are(value: Any) -> None:
    assert Sendable(frozenset()).value(value) == value


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (OrderedDict(a=1), OrderedDict(a=1)),
        (Counter("aab"), Counter("aab")),
        ({1, 2}, {1, 2}),
        (Colour.RED, "<Colour.RED: 1>"),  # of a module that the session does not know
        ([Colour.RED, {"x": (Colour.RED,)}], ["<Colour.RED: 1>", {"x": ("<Colour.RED: 1>",)}]),
        ({Colour.RED: 1}, {"<Colour.RED: 1>": 1}),
        (Bad(), "Bad()"),
        (OrderedDict(a=Bad()), repr(OrderedDict(a=Bad()))),
        (Path("/x"), "PosixPath('/x')"),
        (ValueError("x"), ValueError("x")),
    ],
    ids=repr,
)
def test_what_the_session_may_not_know_is_sent_as_text(value: Any, sent: Any) -> None:
    found = Sendable(KNOWN).value(value)
    assert type(found) is type(sent)
    assert found == sent or repr(found) == repr(sent)
    pickle.dumps(found)


def test_what_is_inside_of_itself_is_sent_as_text() -> None:
    ring: list[Any] = [1]
    ring.append({"again": ring})
    found = Sendable(KNOWN).value({"ring": ring, "twice": [ring[0], ring[0]]})
    assert found == {"ring": [1, {"again": repr(ring)}], "twice": [1, 1]}
    shared: list[Any] = [1, 2]
    assert Sendable(KNOWN).value([shared, shared]) == [[1, 2], [1, 2]], "twice is not inside"


def test_a_rows_samples_are_sent_as_they_are_and_its_oddities_as_pytest_benchmark_saves_them() -> None:
    data = [0.1] * 1000
    row = Sendable(KNOWN).row({"data": data, "name": "test_a", "extra_info": {"odd": Bad()}})
    assert row["data"] is data
    assert row["extra_info"] == {"odd": "UNSERIALIZABLE[Bad()]"}


class StrangeWarning(UserWarning):
    """Of a module that the session does not know."""


@pytest.mark.parametrize(
    ("message", "category"), [(DeprecationWarning("old"), DeprecationWarning), (StrangeWarning("strange"), UserWarning)]
)
def test_a_warning_is_sent_without_what_caused_it(message: Warning, category: type[Warning]) -> None:
    recorded = warnings.WarningMessage(message, type(message), "test_a.py", 7, source=socket)
    sent = pickle.loads(pickle.dumps(Sendable(KNOWN).warning(recorded)))
    assert (str(sent.message), sent.category, sent.filename, sent.lineno) == (str(message), category, "test_a.py", 7)
    assert sent.source is None
