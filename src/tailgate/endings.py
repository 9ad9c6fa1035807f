"""The documented place of :class:`NotMeasuredError` (:mod:`tailgate.errors`)."""

from tailgate.errors import NotMeasuredError

__all__ = ["NotMeasuredError"]
