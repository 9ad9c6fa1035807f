"""However measuring ends, nothing stays open."""

from types import SimpleNamespace
from typing import Any

import pytest

from tailgate.processes.isolation import Isolation
from tailgate.processes.runner import SingleRunner
from tailgate.session.settings import Settings

ENDS = ["signals", "settle", "runner", "journal", "remark"]


@pytest.mark.parametrize("broken", [None, *ENDS])
def test_whatever_fails_at_the_end_all_else_is_closed(broken: str | None) -> None:
    done: list[str] = []

    def ends(name: str) -> Any:
        def end(*_: object) -> None:
            done.append(name)
            if name == broken:
                raise ZeroDivisionError(name)

        return end

    config: Any = None
    run: Any = SimpleNamespace(remark=ends("remark"))
    isolation: Any = Isolation(config, Settings(), run, SingleRunner)
    isolation._signals = SimpleNamespace(measured=ends("signals"))
    isolation._settle = ends("settle")
    isolation._runner = SimpleNamespace(close=ends("runner"), remarks=["said"])
    isolation._journal = SimpleNamespace(close=ends("journal"), remarks=list)
    if broken is None:
        isolation._end()
    else:
        with pytest.raises(ZeroDivisionError, match=broken):
            isolation._end()
    assert done == ENDS, "a repeated signal is answered first; remarks come when everything has said what it has to say"


@pytest.mark.parametrize("broken", [None, "starter", "output", "errors"])
def test_whatever_fails_of_one_process_all_of_it_is_closed(broken: str | None) -> None:
    done: list[str] = []

    def ends(name: str) -> Any:
        def end() -> None:
            done.append(name)
            if name == broken:
                raise ZeroDivisionError(name)

        return SimpleNamespace(close=end)

    single = SingleRunner.__new__(SingleRunner)
    single._starter, single._outputs = ends("starter"), (ends("output"), ends("errors"))
    if broken is None:
        single.close()
    else:
        with pytest.raises(ZeroDivisionError, match=broken):
            single.close()
    assert done[0] == "starter"
    assert sorted(done) == ["errors", "output", "starter"]
