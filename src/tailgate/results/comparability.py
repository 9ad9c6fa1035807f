"""Comparing with a saved run: is it the same machine?

pytest-benchmark compares everything it knows of two machines, the momentary clock included, and so warns
at nearly every comparison. Ours compares fingerprints, and marks the rows of another machine. Where nothing
was asked of Tailgate, pytest-benchmark's own comparison stays as it is, blind to what we added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tailgate.machine import fingerprint as environment
from tailgate.number import number
from tailgate.results.plain import as_compared
from tailgate.results.saved_run import Run, machine_id_of, machine_of

if TYPE_CHECKING:
    from tailgate.machine import trust

WORKLOAD_KEYS = (
    "model_sha256", "image_size", "weights", "batch_size", "items_per_call", "precision_compiled", "threads",
    "device", "protocol", "tenants", "tenant_cpus", "data", "classes", "workers", "learning_rate",
    "load_arrivals", "load_servers", "load_limit",
)  # fmt: skip
"""The model's hash, shapes and precision belong to what makes two numbers comparable."""
DEFAULTS = {"tenants": 1, "load_arrivals": "closed loop"}
"""What a row that does not say means: it was measured alone, and called again whenever a call had returned."""
SCALARS = frozenset({str, bool, int, float})
OUR_MACHINE_KEYS = ("fingerprint", "fingerprint_id", "machine_facts")


def keep_workloads(compared: Run) -> None:
    """Let the table see what each saved row was measured on: pytest-benchmark shows it with today's ``extra_info``."""
    for bench in compared["benchmarks"]:
        bench["stats"]["saved_extra_info"] = bench.get("extra_info") or {}


def other_workload(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Which of the facts that make two rows of one name comparable differ; unknown on either side is no difference.

    Either may be as a test noted it, or as it came out of a file.
    """
    found = []
    for key in WORKLOAD_KEYS:
        default = DEFAULTS.get(key)
        one, other = saved.get(key, default), now.get(key, default)
        if one is other or (type(one) is type(other) in SCALARS and one == other):
            continue
        one, other = as_compared(one), as_compared(other)
        if None not in (one, other) and one != other:
            found.append(key)
    return found


def calibrations(saved: Any) -> list[trust.Calibration]:
    """The calibration kernel's times, as ``tailgate_run.calibrations`` has them; none where they are not whole."""
    from tailgate.machine import trust

    try:
        found = [(number(one["compute_s"]), number(one["memory_s"])) for one in saved or ()]
    except (KeyError, TypeError):
        return []
    known = [(compute_s, memory_s) for compute_s, memory_s in found if compute_s and memory_s]
    return [trust.Calibration(*both) for both in known if min(both) > 0] if len(known) == len(found) else []


def machine_moved(compared: Run, now: Sequence[trust.Calibration]) -> str | None:
    """One line where the same machine is not as fast as it was when the run compared with was measured."""
    if any(bench["stats"].get("other_machine") for bench in compared["benchmarks"]):
        return None  # said already, in stronger words
    from tailgate.machine import trust

    run = compared.get("tailgate_run")
    return trust.compared(calibrations(run.get("calibrations")) if isinstance(run, Mapping) else [], now)


def mark_other_machine(fingerprint: dict[str, Any], compared: Run) -> list[str]:
    """Mark every row of a run saved under another fingerprint; returns the lines that say what differs."""
    differences = environment.difference(fingerprint, machine_of(compared))
    if not differences:
        return []
    for bench in compared["benchmarks"]:
        bench["stats"]["other_machine"] = True
    return [
        f"The baseline is from another machine ({machine_id_of(compared) or 'unknown'}), so a difference is not a "
        f"regression. Differs: {'; '.join(differences)}"
    ]


@contextmanager
def silenced(machine_info: Run, compared: Run) -> Iterator[None]:
    """pytest-benchmark finds two equal machines."""
    with _replaced(compared, "machine_info", machine_info):
        yield


@contextmanager
def stock(machine_info: Run, compared: Run) -> Iterator[None]:
    """pytest-benchmark finds what it would find without us."""
    theirs = compared.get("machine_info") or {}
    kept = {key: machine_info.pop(key) for key in OUR_MACHINE_KEYS if key in machine_info}
    with _replaced(compared, "machine_info", {key: theirs[key] for key in theirs if key not in OUR_MACHINE_KEYS}):
        yield
    machine_info.update(kept)


@contextmanager
def _replaced(mapping: dict[str, Any], key: str, value: Any) -> Iterator[None]:
    kept = mapping.get(key)
    mapping[key] = value
    try:
        yield
    finally:
        mapping[key] = kept
