"""Which processor a run was measured on, where there is no fingerprint: what pytest-benchmark's py-cpuinfo found.

Its names changed over the years: ``brand`` of pytest-benchmark 3 is ``brand_raw`` of 4 and later. On many ARM machines
it finds no name at all, and between its versions it wrote ``unknown`` for what it no longer found.
"""

from collections.abc import Mapping
from typing import Any

from tailgate.number import is_number

NAMES = {
    "brand": ("brand_raw", "brand"), "vendor": ("vendor_id_raw", "vendor_id"),
    "hardware": ("hardware_raw", "hardware"), "arch": ("arch",), "bits": ("bits",), "count": ("count",),
    "family": ("family",), "model": ("model",), "stepping": ("stepping",), "flags": ("flags",),
}  # fmt: skip
"""Fact -> what it was called, the newest name first. Not the clock, which moves."""
BESIDE_THE_BRAND = ("brand", "arch", "bits", "count")
"""Compared where both have a name; the others depend on kernel and microcode, too."""
TELLING = ("vendor", "hardware", "count", "family", "model", "stepping", "flags")
"""Without a name, at least one of them has to be known: half the world's machines have one architecture."""
NOT_KNOWN = frozenset({"", "unknown", "none", "n/a", "not available", "(null)", "to be filled by o.e.m."})

Processor = Mapping[str, Any]


def processor_of(cpu: Any) -> dict[str, Any]:
    """Facts that are known, from ``machine_info.cpu``; ``flags`` as a sorted tuple."""
    if not isinstance(cpu, Mapping):
        return {}
    found = {}
    for fact, names in NAMES.items():
        values = (_plain(cpu.get(name)) for name in names)
        value = next((one for one in values if one is not None), None)
        if value is not None:
            found[fact] = value
    return found


def compared_by(processor: Processor) -> str:
    """Half a sentence on what tells this processor from others."""
    if "brand" in processor:
        return "by processor name only"
    known = [fact for fact in NAMES if fact in processor]
    if not any(fact in TELLING for fact in known):
        return "with nothing, for nothing is known of their processor"
    return f"by the processor's {', '.join(known)} only (its name is not known)"


def differences(ours: Processor, theirs: Processor) -> list[str]:
    """What differs, or why it is not known to be the same; empty: the same, as far as is known."""
    both = [fact for fact in NAMES if fact in ours and fact in theirs]
    if "brand" in both:
        return [_text(fact, ours, theirs) for fact in BESIDE_THE_BRAND if fact in both and ours[fact] != theirs[fact]]
    if "brand" in ours or "brand" in theirs:
        where = "here" if "brand" in ours else "there"
        return [f"the processor's name is known only {where}"]
    if not any(fact in TELLING for fact in both):
        return ["of one of them the machine is not known: the file has neither the processor's name nor its features"]
    return [_text(fact, ours, theirs) for fact in both if ours[fact] != theirs[fact]]


def _plain(value: Any) -> Any:
    """A value to compare; ``None`` where it says nothing."""
    if isinstance(value, str):
        text = " ".join(value.split())
        return None if text.lower() in NOT_KNOWN else text
    if isinstance(value, list):
        return tuple(sorted(one for one in value if isinstance(one, str))) or None
    return value if is_number(value) else None


def _text(fact: str, ours: Processor, theirs: Processor) -> str:
    here, there = ours[fact], theirs[fact]
    if fact == "flags" and isinstance(here, tuple) and isinstance(there, tuple):
        only = [[one for one in mine if one not in other] for mine, other in ((there, here), (here, there))]
        return f"cpu flags: {_few(only[0])} only there, {_few(only[1])} only here"
    return f"{'cpu' if fact == 'brand' else f'cpu {fact}'} {there!r} there, {here!r} here"


def _few(names: list[str]) -> str:
    return " ".join(names[:4]) + (f" and {len(names) - 4} more" if names[4:] else "") if names else "none"
