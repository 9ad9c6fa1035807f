"""However measuring ends, nothing stays open."""

from types import SimpleNamespace
from typing import Any

import pytest

from tailgate.processes.isolation import Isolation
from tailgate.settings import Settings

ENDS = ["signals", "settle", "starter", "journal", "output", "errors", "remark"]


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
    isolation: Any = Isolation(config, Settings(), run)
    isolation._signals = SimpleNamespace(measured=ends("signals"))
    isolation._settle = ends("settle")
    isolation._starter = SimpleNamespace(close=ends("starter"), remarks=["said"])
    isolation._journal = SimpleNamespace(close=ends("journal"))
    isolation._outputs = SimpleNamespace(close=ends("output")), SimpleNamespace(close=ends("errors"))
    if broken is None:
        isolation._end()
    else:
        with pytest.raises(ZeroDivisionError, match=broken):
            isolation._end()
    assert sorted(done) == sorted(ENDS)
    assert done[:4] == ENDS[:4], "a repeated signal is answered from here on, and what was measured is told first"
    assert done[-1] == "remark", "when everything has said what it has to say"
