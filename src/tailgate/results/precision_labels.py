"""What a label such as ``fp32, weights int4`` says: the arithmetic, and how narrow the weights lie in memory."""

from typing import Any

WEIGHTS = ", weights "


def arithmetic(label: Any) -> str | None:
    """The type that is multiplied: ``fp32`` of ``fp32, weights int4``; ``None`` where the value is not a label."""
    return label.partition(WEIGHTS)[0] if isinstance(label, str) else None


def narrow_weights(label: Any) -> str | None:
    """``int4`` of ``fp32, weights int4``; ``None`` where weights are as wide as the arithmetic."""
    return (label.partition(WEIGHTS)[2] or None) if isinstance(label, str) else None


def labelled(arithmetic_of: str, weights: str | None) -> str:
    """The label of both, such as ``fp32, weights int4``; weights of the arithmetic's own type are not named."""
    return arithmetic_of if weights in (None, arithmetic_of) else f"{arithmetic_of}{WEIGHTS}{weights}"
