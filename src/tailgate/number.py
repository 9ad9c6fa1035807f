"""What is a number: of values that a test noted, and of values that came out of a file.

A test notes what its libraries give it: numpy's scalars, arrays and tensors of no dimension, ``Decimal``. No library is
imported for that. A file may hold anything, also whole numbers that no float can hold.
"""

import math
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any, TypeGuard

COMMON = frozenset({type(None), bool, int, float, str, list, dict})
TIMES = frozenset("mM")
"""numpy's kinds of dates and durations, which are not numbers without their unit."""


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value from JSON is a finite number; ``true`` is not, nor is an integer that no float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def as_python(value: Any) -> Any:
    """The Python value of a number, a scalar or an array without dimensions; anything else is itself.

    A number stays whole where it is: ``Decimal("8")`` is 8, ``np.float64(8)`` is 8.0.
    """
    if type(value) in COMMON:
        return value
    try:
        return _as_python(value)
    except Exception:  # whatever a foreign class raises where a number would answer: it is none
        return value


def number(value: Any) -> float | None:
    """A finite ``int`` or ``float``, of whatever kind of number the value is; ``None``: it is none, as truth is."""
    found = as_python(value)
    return found if is_number(found) else None


def _as_python(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal | Fraction):
        found = float(value)
        whole = math.isfinite(found) and value == int(value)
        return int(value) if whole else found
    if getattr(getattr(value, "dtype", None), "kind", None) in TIMES:
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        return value.item()
    return value
