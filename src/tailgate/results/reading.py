"""A saved run's JSON as far as it can be believed: whatever is in the file, arithmetic with what is left works.

What is not there is ``saved_run.py``'s to say; here it is about what is there, and is of another kind, too deep,
or larger or smaller than any time.
"""

import json
import math
from array import array
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from tailgate.errors import TailgateError, one_line
from tailgate.number import is_number

DEEPEST = 100
"""Lists and objects inside of each other. Python's own reader and writer give up somewhere below a thousand."""
HUGE_DIGITS = 300
HUGE = 10 ** (HUGE_DIGITS - 1)
LEAST, MOST = 1e-100, 1e100
"""A time, whatever its unit, and a count lie between; their squares, ratios and logarithms are numbers, too."""
NUMBERS = frozenset({
    "min", "max", "mean", "stddev", "median", "rounds", "iterations", "iqr", "q1", "q3", "ld15iqr", "hd15iqr", "ops",
    "total", "iqr_outliers", "stddev_outliers", "p90", "p95", "p99", "p999", "p99_low", "p99_high",
    "p99_blocks_low", "p99_blocks_high", "throughput",
})  # fmt: skip
"""Fields of ``stats``."""
KINDS: dict[str, type] = {"name": str, "fullname": str, "params": dict, "options": dict, "extra_info": dict}
"""Of a benchmark's fields, where they are there; ``null`` is as if they were not."""
SMALLEST, LARGEST = 1e-40, 1e40
"""Anything else that was measured; products and ratios of several are numbers, too."""
TEXTS = (
    "study", "model", "model_sha256", "runtime", "runtime_version", "precision", "precision_compiled", "device",
    "weights", "phase", "protocol", "status", "scenario", "data", "level", "gpu_name", "flops_counter",
    "throttle_reasons",
)  # fmt: skip
"""Fields of ``extra_info`` in which our rows have text. Other projects may use these names for anything."""
NAMES = frozenset({"name", "fullname"})
"""Those that no benchmark is without."""
OF_THE_RUN: dict[str, type] = {
    "machine_info": dict, "commit_info": dict, "datetime": str, "tailgate_run": dict, "unmeasured": list,
}  # fmt: skip
INNER = frozenset({dict, list})
KIND_NAMES: dict[type, str] = {str: "text", dict: "an object", list: "a list"}


def parsed(path: Path, content: bytes, compact: bool = False) -> Any:
    """The file's JSON; a whole number that no float can hold reads as infinity.

    ``compact``: a benchmark's raw rounds are an array, a quarter of a list's size, where all of them are floats.

    Raises:
        TailgateError: it is none, or nested deeper than ``DEEPEST``.
    """
    try:
        found = _by_msgspec(content, compact)
        if found is None:
            hook = _compacted if compact else None
            found = json.loads(content.decode("utf8"), parse_int=_whole, object_hook=hook)
        deep = any(depth > DEEPEST for depth, _ in enumerate(_levels(found)))
    except UnicodeDecodeError as error:
        raise TailgateError(f"{path}: not a saved run (not text: {one_line(error)})") from error
    except ValueError as error:
        raise TailgateError(f"{path}: not a saved run (broken or truncated JSON: {one_line(error)})") from error
    except RecursionError:
        found, deep = None, True
    if deep:
        raise TailgateError(f"{path}: not a saved run (lists or objects more than {DEEPEST} deep inside of each other)")
    return found


def _by_msgspec(content: bytes, compact: bool) -> Any:
    """Half of the time and of the memory of Python's own reader, benchmark by benchmark.

    ``None``: it is no such object, or has what Python's own reads otherwise: ``NaN``, a number beyond floats.
    """
    from msgspec import DecodeError, Raw
    from msgspec.json import decode

    try:
        found: dict[str, Any] = decode(content, type=dict[str, Raw])
        for name, part in found.items():
            if name != "benchmarks":
                found[name] = decode(part)
                continue
            found[name] = rows = []
            for row in map(decode, decode(part, type=list[Raw])):
                if compact and isinstance(row, dict) and isinstance(row.get("stats"), dict):
                    _compacted(row["stats"])
                rows.append(row)
    except (DecodeError, RecursionError):
        return None
    return None if any(_huge(container) for level in _levels(found) for container in level) else found


def _huge(container: Collection[Any]) -> bool:
    return int in set(map(type, container)) and any(type(one) is int and abs(one) >= HUGE for one in container)


def _compacted(found: dict[str, Any]) -> dict[str, Any]:
    """A benchmark's ``stats``, before the next one is read; any other object as it is."""
    data = found.get("data")
    if isinstance(data, list) and "rounds" in found and set(map(type, data)) == {float}:
        found["data"] = array("d", data)
    return found


def check_kinds(path: Path, run: dict[str, Any]) -> None:
    """Check the kind of every field that somebody reads; a column without a finite number is removed.

    Raises:
        TailgateError: a field is of another kind. One line, with the file's, the benchmark's and the field's name.
    """
    for text in _unlike(run, OF_THE_RUN):
        raise TailgateError(f"{path}: {text}; not a pytest-benchmark run")
    for index, bench in enumerate(run["benchmarks"]):
        for text in _unlike(bench, KINDS, f" of {bench['name'] if isinstance(bench['name'], str) else index}"):
            raise TailgateError(f"{path}: {text}; not a pytest-benchmark run")
        stats = bench["stats"]
        for name in [name for name, value in stats.items() if isinstance(value, float) and not math.isfinite(value)]:
            del stats[name]
        wrong = [name for name in NUMBERS & stats.keys() if stats[name] is not None and not _believable(stats[name])]
        if not isinstance(stats.get("outliers", ""), str | None):
            wrong.append("outliers")
        data = stats.get("data")
        if data is not None and not (isinstance(data, list | array) and _all_believable(data)):
            wrong.append("data")
        if wrong:
            allowed = f"numbers, 0 or of {LEAST:g} to {MOST:g}"
            raise TailgateError(
                f"{path}: {bench['name']} has something else than numbers for {', '.join(sorted(wrong))} ({allowed})"
            )


def for_reports(run: dict[str, Any]) -> dict[str, Any]:
    """The run, for a report: fields in which our rows have text are text, whatever the file has there.

    Numbers that nothing measured can have are not known, and of a machine's facts only objects are read.
    """
    machine = run.get("machine_info") or {}
    for facts, names in ((machine, ("fingerprint", "machine_facts")), (machine.get("fingerprint"), ("packages",))):
        for name in names:
            if isinstance(facts, dict) and not isinstance(facts.get(name, {}), dict):
                del facts[name]
    run["machine_info"] = _sensible(machine)
    for bench in run["benchmarks"]:
        info = _sensible(bench.get("extra_info") or {})
        for name in TEXTS:
            if not isinstance(info.get(name), str | None):
                info[name] = json.dumps(info[name])
        bench["extra_info"] = info
    return run


def _sensible(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sensible(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_sensible(one) for one in value]
    if isinstance(value, float) or is_number(value):
        return value if value == 0 or SMALLEST <= abs(value) <= LARGEST else None
    return value


def _whole(text: str) -> float:
    """Python's own refuses more than some thousand digits, and arithmetic with floats more than three hundred."""
    return int(text) if len(text) < HUGE_DIGITS else float(text)


def _believable(value: Any) -> bool:
    if type(value) is float and LEAST <= value <= MOST:
        return True
    return is_number(value) and (value == 0 or LEAST <= abs(value) <= MOST)


def _all_believable(values: Sequence[Any]) -> bool:
    """Most are positive floats, of which the sum, the least and the largest tell enough."""
    floats = isinstance(values, array) or set(map(type, values)) == {float}
    if floats and min(values) >= LEAST and max(values) <= MOST:
        return not math.isnan(sum(values))  # ``min`` and ``max`` pass over a nan that is not the first
    return all(map(_believable, values))


def _unlike(mapping: dict[str, Any], kinds: dict[str, type], whose: str = "") -> Iterator[str]:
    for name, allowed in kinds.items():
        value = mapping.get(name)
        if (value is not None or name in NAMES) and not isinstance(value, allowed):
            yield f"{name}{whose} is not {KIND_NAMES[allowed]}"


def _levels(found: Any) -> Iterator[list[Collection[Any]]]:
    """What lists and objects hold, level by level, so that no depth is too much for this."""
    level = [found]
    while level := [one for one in level if type(one) in INNER]:
        containers = [one.values() if type(one) is dict else one for one in level]
        yield containers
        deeper = [container for container in containers if not INNER.isdisjoint(map(type, container))]
        level = [one for container in deeper for one in container]
