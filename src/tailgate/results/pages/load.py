"""Benchmarks under load: response percentiles against the offered rate, the limit, the knee and the saturation."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tailgate.errors import TailgateError
from tailgate.number import number
from tailgate.results.bars import bars
from tailgate.results.columns import under_load
from tailgate.results.load import peak_lines
from tailgate.results.pictures import COLORS, GRID, INK, MARKERS, MUTED, figure, label, png
from tailgate.results.rows import UNTRUSTED
from tailgate.results.saved_run import Run, machine_id_of
from tailgate.stats.quantiles import samples_for_upper_end
from tailgate.text import markdown_text, milliseconds

NAME = "load"
PERCENTILES = {"median": "median", "p95": "P95", "p99": "P99", "p999": "P99.9"}
LIMIT = re.compile(r"(\w+)=(\d+(?:\.\d+)?(?:e[+-]?\d+)?)ms")
HEADINGS = (
    "load", "offered/s", "served/s", "busy", "service median", "median", "P95", "P99 [95 %]", "mean", "mean by theory",
    "longest queue", "lateness P99", "status",
)  # fmt: skip
HOW_TO = "measure one with: pytest benchmarks -k NAME --load poisson:10%,30%,50%,70%,80%,90% --benchmark-json=FILE"


@dataclass
class Curve:
    """One benchmark under its loads, ascending by the offered rate."""

    name: str
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    peaks: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Of a picture: without its file."""
        return label(self.name.rpartition("::")[2])

    @property
    def capacity_per_s(self) -> float | None:
        """Requests per second of the closed loops: beyond, the queue only grows. The median over the rows."""
        known = (number(row["extra_info"].get("load_capacity_per_s")) for row in self.rows)
        found = sorted(one for one in known if one is not None)
        return found[len(found) // 2] if found else None

    @property
    def knee_per_s(self) -> float | None:
        """The offered rate with the most power, which is rate over mean response; ``None`` of fewer than three rates.

        Kleinrock, Proc. International Conference on Communications (1979), 43.1.1-10.
        """
        infos = [row["extra_info"] for row in self.rows if number(row["extra_info"].get("load_response_mean_s"))]
        stable = [info for info in infos if info.get("status") != "overloaded"]
        if len(stable) < 3:
            return None
        best = max(stable, key=lambda info: info["load_rate_offered_per_s"] / info["load_response_mean_s"])
        return float(best["load_rate_offered_per_s"])

    @property
    def limit(self) -> tuple[str, float] | None:
        """Its percentile and seconds, where one was given."""
        for row in self.rows:
            limit = LIMIT.fullmatch(str(row["extra_info"].get("load_limit")))
            if limit is not None and limit[1] in PERCENTILES:
                return limit[1], float(limit[2]) / 1e3
        return None


def curves(runs: Sequence[Run]) -> list[Curve]:
    """By benchmark and machine, its loads taken out of the name.

    Raises:
        TailgateError: no row is under load.
    """
    found: dict[tuple[str, str | None], Curve] = {}
    several = len({machine_id_of(run) for run in runs}) > 1
    for run in runs:
        machine = machine_id_of(run)
        for bench in run["benchmarks"]:
            info = bench.get("extra_info") or {}
            if not under_load(info) or number(info.get("load_rate_offered_per_s")) is None:
                continue
            load = str(info["load_arrivals"])
            name = bench["fullname"].replace(f"-{load}]", "]").replace(f"[{load}]", "")
            title = f"{name} on machine {machine or '(unknown)'}" if several else name
            curve = found.setdefault((name, machine), Curve(title))
            curve.peaks += peak_lines(bench["name"], info)
            curve.rows.append(bench)
    if not found:
        raise TailgateError(f"--format={NAME}: no row of these runs is under load; {HOW_TO}")
    for curve in found.values():
        curve.rows.sort(key=lambda row: row["extra_info"]["load_rate_offered_per_s"])
    return list(found.values())


def render(runs: Sequence[Run]) -> str:
    """A table for each benchmark, and where its limit, knee and saturation lie."""
    return "\n".join(_section(curve) for curve in curves(runs))


def attachments(runs: Sequence[Run]) -> Mapping[str, bytes]:
    """The curves as a picture."""
    drawn = curves(runs)
    picture = figure(9, 3.6 * len(drawn), layout="constrained")
    for axes, curve in zip(picture.subplots(len(drawn), squeeze=False)[:, 0], drawn, strict=True):
        draw(axes, curve)
        axes.set_title(curve.title, parse_math=False)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return {".png": png(picture, 110)}


def _section(curve: Curve) -> str:
    lines = [
        f"## {markdown_text(curve.name)} under load",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---" * len(HEADINGS) + "|",
    ]
    lines += [f"| {' | '.join(map(markdown_text, _cells(row)))} |" for row in curve.rows]
    known = [row for row in curve.rows if number(row["stats"].get("p99")) is not None]
    if len(known) > 1:
        lines += ["", "P99 over the offered rate:", "", bars([_bar(row) for row in known])]
    lines.append("")
    if curve.capacity_per_s is not None:
        lines.append(f"- Saturation: a closed loop was served {curve.capacity_per_s:.4g} requests/s.")
    if (knee := curve.knee_per_s) is not None:
        lines.append(f"- Knee, where rate over mean response is largest: {knee:.4g} requests/s.")
    if curve.limit is not None:
        lines.append(_said_of_limit(curve, *curve.limit))
    lines += [f"- {markdown_text(text)}" for text in curve.peaks]
    return "\n".join([*lines, ""])


def _bar(row: Mapping[str, Any]) -> tuple[str, float, str]:
    p99_s = row["stats"]["p99"]
    return f"{row['extra_info']['load_rate_offered_per_s']:.4g}/s", p99_s, milliseconds(p99_s)


def _said_of_limit(curve: Curve, metric: str, limit_s: float) -> str:
    held = [
        row["extra_info"]["load_rate_offered_per_s"]
        for row in curve.rows
        if row["stats"].get(metric) is not None
        and row["stats"][metric] <= limit_s
        and row["extra_info"].get("status") not in UNTRUSTED
    ]
    goal = f"{PERCENTILES[metric]} within {milliseconds(limit_s)}"
    if not held:
        return f"- No undisturbed rate of these had {goal}."
    return f"- The highest undisturbed rate of these with {goal}: {max(held):.4g} requests/s."


def _cells(row: Mapping[str, Any]) -> list[str]:
    info, stats = row["extra_info"], row["stats"]

    def time(value: Any) -> str:
        return "?" if number(value) is None else milliseconds(value)

    def rate(name: str) -> str:
        return "?" if number(info.get(name)) is None else f"{info[name]:.4g}"

    return [
        str(info["load_arrivals"]),
        rate("load_rate_offered_per_s"),
        rate("load_rate_served_per_s"),
        "?" if number(info.get("load_utilization")) is None else f"{info['load_utilization']:.0%}",
        time(info.get("load_service_median_s")),
        time(stats.get("median")),
        time(stats.get("p95")),
        f"{time(stats.get('p99'))} [{time(stats.get('p99_low'))}, {time(stats.get('p99_high'))}]",
        time(info.get("load_response_mean_s")),
        time(info.get("load_response_mean_theory_s")),
        "?" if number(info.get("load_queue_max")) is None else str(info["load_queue_max"]),
        time(info.get("load_lateness_p99_s")),
        str(info.get("status") or "ok"),
    ]


def draw(axes: Any, curve: Curve) -> None:
    """Percentiles over the offered rate, and what bounds it; the legend's place is the caller's."""
    rates = [row["extra_info"]["load_rate_offered_per_s"] for row in curve.rows]
    for index, (name, said) in enumerate(PERCENTILES.items()):
        values_ms = [_ms(row["stats"].get(name)) if _enough(row, name) else math.nan for row in curve.rows]
        if not all(map(math.isnan, values_ms)):
            axes.plot(rates, values_ms, marker=MARKERS[index], color=COLORS[index], label=said)
    for row in curve.rows:
        if _enough(row, "p99"):
            _draw_interval(axes, row)
    invalid = [row for row in curve.rows if row["extra_info"].get("status", "ok") in UNTRUSTED]
    if invalid:
        places = [row["extra_info"]["load_rate_offered_per_s"] for row in invalid]
        axes.plot(
            places,
            [_ms(row["stats"].get("p99")) for row in invalid],
            "x",
            color=INK,
            markersize=10,
            label="row not valid",
        )
    if curve.capacity_per_s is not None:
        axes.axvline(curve.capacity_per_s, color=MUTED, linestyle="--", label="saturation (closed loop)")
    if curve.knee_per_s is not None:
        axes.axvline(curve.knee_per_s, color=MUTED, linestyle=":", label="knee")
    if curve.limit is not None:
        axes.axhline(curve.limit[1] * 1e3, color=INK, linewidth=1, label=f"limit of {PERCENTILES[curve.limit[0]]}")
    axes.set_yscale("log")
    for ticks in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        ticks("{x:g}")
    axes.tick_params(axis="y", which="minor", labelsize=7)
    axes.set_xlim(left=0)
    axes.set_xlabel("offered rate (requests/s)")
    axes.set_ylabel("response (ms)")
    axes.grid(visible=True, which="both", color=GRID, linewidth=0.7)


def _draw_interval(axes: Any, row: Mapping[str, Any]) -> None:
    """P99's; one that is open above ends in an arrow."""
    rate_per_s = row["extra_info"]["load_rate_offered_per_s"]
    value_ms, low_ms, high_ms = (_ms(row["stats"].get(name)) for name in ("p99", "p99_low", "p99_high"))
    if math.isnan(low_ms) or math.isnan(value_ms):
        return
    is_open = math.isnan(high_ms)
    axes.plot([rate_per_s] * 2, [low_ms, value_ms if is_open else high_ms], color=COLORS[2], linewidth=6, alpha=0.25)
    if is_open:
        arrow = {"arrowstyle": "->", "color": COLORS[2]}
        axes.annotate("", (rate_per_s, value_ms * 1.25), (rate_per_s, value_ms), arrowprops=arrow)


def _enough(row: Mapping[str, Any], metric: str) -> bool:
    """Whether there are as many responses as an interval of the percentile needs: a P99.9 of 400 is their maximum."""
    needed = {"p99": samples_for_upper_end(0.99), "p999": samples_for_upper_end(0.999)}.get(metric, 0)
    return bool(row["stats"]["rounds"] >= needed)


def _ms(seconds: Any) -> float:
    """A gap in the line where it is unknown."""
    return math.nan if number(seconds) is None else seconds * 1e3
