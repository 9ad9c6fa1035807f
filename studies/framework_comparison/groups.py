"""Saved rows as groups: rows of the same cell are pooled; a cell without a row has its reason."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from studies.framework_comparison.entries import ALSO, SIDES_S, Entry, Group, Key, Value
from studies.framework_comparison.published import NAMES
from studies.values import USABLE, count, finite, middle, unmeasured_entries
from tailgate import printable
from tailgate.results.rows import alone, warnings_of
from tailgate.results.saved_run import Run

STUDY = "framework-comparison"
ORDER = ("pytorch", "pytorch-compile", "tensorflow", "jax", "onnxruntime", "openvino")
CELL = re.compile(r"\[(?P<model>.+?)-(?P<runtime>RUNTIMES)-(?P<precision>[a-z0-9]+)-t(?P<threads>\d+)-b(?P<batch>\d+)"
                  .replace("RUNTIMES", "|".join(sorted({*NAMES, *ALSO}, key=len, reverse=True))))  # fmt: skip
AS_PUBLISHED = re.compile(rf"::test_as_published\[(?P<runtime>{'|'.join(NAMES)})\]")


def groups_of(runs: Sequence[Run]) -> list[Group]:
    """Every group of study 2 in these runs."""
    rows: dict[Key, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for bench in run["benchmarks"]:
            info = bench.get("extra_info") or {}
            if info.get("study") == STUDY and isinstance(info.get("runtime"), str) and alone(info):
                rows[_key(info)][info["runtime"]].append(bench)
    reasons = list(_unmeasured(runs))
    found = []
    for key, by_runtime in rows.items():
        entries = [_entry(runtime, benches, key) for runtime, benches in by_runtime.items()]
        entries += [Entry(runtime, reason=reason) for runtime, reason in _absent(key, by_runtime, reasons).items()]
        found.append(Group(key, tuple(sorted(entries, key=_place))))
    return sorted(found, key=lambda group: _sortable(group.key))


def _key(info: Mapping[str, Any]) -> Key:
    model = _text(info.get("model")) or "?"
    if info.get("as_published"):
        return Key(True, model, None, None, None, None, None, None)
    batch_size, threads, image_size = (count(info.get(name)) for name in ("batch_size", "threads", "image_size"))
    precision, weights, sha256 = (_text(info.get(name)) for name in ("precision", "weights", "model_sha256"))
    return Key(False, model, precision, batch_size, threads, image_size, weights, sha256)


def _entry(runtime: str, benches: Sequence[Mapping[str, Any]], key: Key) -> Entry:
    benches = [bench for bench in benches if _status(bench) in USABLE] or benches
    infos = [bench.get("extra_info") or {} for bench in benches]
    stats = [bench["stats"] for bench in benches]
    if key.as_published:
        latency = pooled(
            _triple(info.get("as_published_latency_mean_s") or one.get("mean"), one)
            for info, one in zip(infos, stats, strict=True)
        )
        cpu = pooled(_triple(info.get("as_published_cpu_percent_mean")) for info in infos)
        memory = pooled(_triple(info.get("as_published_rss_mean_bytes")) for info in infos)
    else:
        latency = pooled(_triple(one.get("median"), one) for one in stats)
        cpu = pooled(_triple(_cpu_percent(info)) for info in infos)
        memory = pooled(_triple(info.get("rss_peak_bytes")) for info in infos)
    notes = dict.fromkeys(printable(warning) for info in infos for warning in warnings_of(info))
    return Entry(
        printable(runtime), _text(infos[0].get("runtime_version")), _status(benches[0]), latency,
        mean_s=middle(one.get("mean") for one in stats), p99_s=middle(one.get("p99") for one in stats),
        cpu_percent=cpu, memory_bytes=memory,
        growth_bytes=middle(info.get("rss_growth_bytes") for info in infos),
        import_growth_bytes=middle(info.get("rss_import_bytes") for info in infos),
        sides_s=tuple(middle(info.get(name) for info in infos) for name in SIDES_S),
        protocol=_text(infos[0].get("protocol")), rows=len(benches), notes=tuple(notes),
    )  # fmt: skip


def _status(bench: Mapping[str, Any]) -> str:
    return printable(str((bench.get("extra_info") or {}).get("status", "ok")))


def pooled(triples: Iterable[tuple[float, float, float] | None]) -> Value | None:
    """The median of several rows' values, from the least of their lower ends to the largest of their upper ends."""
    known = [triple for triple in triples if triple is not None]
    if not known:
        return None
    values, lows, highs = zip(*known, strict=True)
    return Value(statistics.median(values), min(lows), max(highs))


def _triple(value: Any, stats: Mapping[str, Any] | None = None) -> tuple[float, float, float] | None:
    """A value with its row's quartiles as its range, where the row has them; a mean may lie outside."""
    middle = finite(value)
    if middle is None:
        return None
    low, high = (finite((stats or {}).get(name)) for name in ("q1", "q3"))
    return middle, min(middle, middle if low is None else low), max(middle, middle if high is None else high)


def _cpu_percent(info: Mapping[str, Any]) -> float | None:
    """CPU time over wall time: the row's share of its threads, times their number."""
    share, threads = finite(info.get("cpu_utilization")), count(info.get("threads"))
    return None if share is None or threads is None else share * threads * 100


def _unmeasured(runs: Sequence[Run]) -> Iterator[tuple[dict[str, str], str]]:
    for one in unmeasured_entries(runs):
        fullname = str(one.get("fullname"))
        match = AS_PUBLISHED.search(fullname) or (CELL.search(fullname) if "framework_comparison" in fullname else None)
        if match:
            status, reason = (printable(str(one.get(name))) for name in ("status", "reason"))
            yield match.groupdict(), reason if status == "unsupported" else f"{status}: {reason}"


def _absent(key: Key, present: Iterable[str], reasons: Iterable[tuple[dict[str, str], str]]) -> dict[str, str]:
    """Runtimes that this group lacks, and why; also those of the source that were not selected."""
    taken = set(present)
    found: dict[str, str] = {}
    for cell, reason in reasons:
        if cell["runtime"] in taken or key.as_published != ("batch" not in cell):
            continue
        wanted = (key.model, key.precision, str(key.threads), str(key.batch_size))
        if key.as_published or wanted == (cell["model"], cell["precision"], cell["threads"], cell["batch"]):
            found.setdefault(cell["runtime"], reason)
    return {
        name: found.get(name, "not among the cells of these runs") for name in (*NAMES, *found) if name not in taken
    }


def _place(entry: Entry) -> tuple[int, str]:
    return (ORDER.index(entry.runtime) if entry.runtime in ORDER else len(ORDER), entry.runtime)


def _sortable(key: Key) -> tuple[Any, ...]:
    return (key.as_published, key.model != "mlp", key.model, key.precision or "", -(key.batch_size or 0),
            -(key.threads or 0), str(key))  # fmt: skip


def _text(value: Any) -> str | None:
    return printable(value) if isinstance(value, str) else None
