"""One benchmark: warm-up, rounds, clocks, and the ``benchmark`` fixture."""

from typing import Any


def __getattr__(name: str) -> Any:  # documented as tailgate.measure.mark_meters before they had a module of their own
    if name not in {"mark_meters", "use_device_clock"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tailgate.measure import fixture

    return getattr(fixture, name)
