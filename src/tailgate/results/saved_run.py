"""Saved runs: read one, complete what older ones lack, refuse what cannot be believed."""

from pathlib import Path
from typing import Any

from tailgate.errors import TailgateError, nearest
from tailgate.number import is_number
from tailgate.results.columns import complete
from tailgate.results.reading import check_kinds, parsed
from tailgate.results.schema import SCHEMA_VERSION

NEEDED = ("min", "max", "mean", "stddev", "median", "rounds")
Run = dict[str, Any]
"""A saved run: pytest-benchmark's JSON with Tailgate's fields."""


def load_run(path: Path, *, completed: bool = True, rounds: bool = True, compact: bool = False) -> Run:
    """Read a saved run; unless told otherwise, ``stats`` are completed from raw data where columns are missing.

    Without ``rounds``, raw data is left out once the columns are complete: it is nearly all of a run. ``compact``: it
    is arrays, a quarter of a list's size.

    Raises:
        TailgateError: the file is missing, truncated, not JSON, not a benchmark run, or newer than
            this Tailgate. One line, with the file's name.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise TailgateError(f"{path}: cannot be read (no such file); {_hint(path)}") from error
    except OSError as error:
        raise TailgateError(f"{path}: cannot be read ({error.strerror or error})") from error
    run: Run = parsed(path, content, compact=compact or not rounds)
    _check(path, run)
    check_kinds(path, run)
    for bench in run["benchmarks"]:
        stats = bench["stats"]
        if completed:
            complete(stats, bench.get("extra_info") or {})
        if not rounds:
            stats.pop("data", None)
    return run


def _hint(path: Path) -> str:
    """What to do about a run that is not there."""
    near = nearest(path.name, [one.name for one in path.parent.glob("*.json")])
    if near is not None:
        return f"did you mean {str(path.with_name(near))!r}?"
    return "save a run with: pytest --benchmark-json=FILE"


def _check(path: Path, run: Any) -> None:
    if not isinstance(run, dict) or not isinstance(run.get("benchmarks"), list):
        raise TailgateError(f"{path}: JSON, but not a pytest-benchmark run (it has no list of benchmarks)")
    version = run.get("tailgate_schema_version", SCHEMA_VERSION)
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION:
        raise TailgateError(
            f"{path}: written with schema version {version!r}, this Tailgate knows 1 to {SCHEMA_VERSION}; "
            "update with: pip install -U tailgate"
        )
    if not run["benchmarks"]:
        raise TailgateError(f"{path}: a run without a single benchmark; nothing can be compared with it")
    if not isinstance(run.get("machine_info") or {}, dict):
        raise TailgateError(f"{path}: machine_info is not an object; not a pytest-benchmark run")
    for index, bench in enumerate(run["benchmarks"]):
        stats = bench.get("stats") if isinstance(bench, dict) else None
        if not isinstance(stats, dict) or "fullname" not in bench or "name" not in bench:
            raise TailgateError(f"{path}: benchmark {index} has no name or no stats; not a pytest-benchmark run")
        bench.setdefault("group", None)
        missing = [key for key in NEEDED if not is_number(stats.get(key))]
        if missing:
            raise TailgateError(f"{path}: {bench['name']} has no number for {', '.join(missing)}")


def machine_of(run: Run) -> dict[str, Any] | None:
    """The fingerprint a run was saved with; ``None`` for a run saved without Tailgate."""
    fingerprint = (run.get("machine_info") or {}).get("fingerprint")
    return fingerprint if isinstance(fingerprint, dict) else None


def machine_id_of(run: Run) -> str | None:
    """The fingerprint's 12 hex digits; ``None`` for a run saved without Tailgate."""
    identity = (run.get("machine_info") or {}).get("fingerprint_id")
    return identity if isinstance(identity, str) else None
