"""Inside a side: ask the project's hook for operator times. Whatever it does, the answer is plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from tailgate.errors import one_line
from tailgate.results.operators import Operator, Profile, ProfileError, Spent, checked_profile

ORDER = "operators"
"""What the parent sends in the place of a block."""
HOOK = "pytest_tailgate_explain"


def ask(item: pytest.Item, call: Callable[[], Any]) -> dict[str, Any]:
    """A profile, or ``reason``: why there is none."""
    hook = item.ihook.pytest_tailgate_explain
    if not hook.get_hookimpls():
        return {"reason": f"nothing in its checkout fills {HOOK}"}
    try:
        found = hook(item=item, call=call)
        if found is None:
            return {"reason": f"its {HOOK} knows none of this benchmark"}
        profile = checked_profile(found)
    except ProfileError as error:
        return {"reason": f"{HOOK}: {one_line(error)}"}
    except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:
        return {"reason": f"{HOOK} raised {type(error).__name__}: {one_line(error)}"}
    times = [(asdict(operator), spent.time_s, spent.calls) for operator, spent in profile.times.items()]
    return {"profiler": profile.profiler, "call_s": profile.call_s, "times": times}


def answered(sent: dict[str, Any]) -> Profile | str:
    """In the parent: the profile of an answer, or the reason why there is none."""
    if "reason" in sent:
        return str(sent["reason"])
    times = {Operator(**named): Spent(time_s, calls) for named, time_s, calls in sent["times"]}
    return Profile(sent["profiler"], times, sent["call_s"])
