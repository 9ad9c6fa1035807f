"""The documented place of :func:`profiling` (:mod:`tailgate.measure.profiling`)."""

from tailgate.measure.profiling import profiling

__all__ = ["profiling"]
