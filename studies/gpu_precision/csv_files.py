"""The report's numbers as CSV: one file of cells, one of ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studies.gpu_precision.cells import Cell
from studies.gpu_precision.ratios import Comparison, every
from studies.gpu_precision.reading import FIELDS, Study
from studies.values import csv_text

SUBJECT = ("model", "weights", "image_size")
CELL = ("device", "runtime", "precision", "threads", "l2_flushed", "batch_size")
MEASURED = (
    "rows", "processes", "median_s", "p99_s", "throughput_items_per_s", "throughput_low_items_per_s",
    "throughput_high_items_per_s", "items_per_s_per_w", "host_only_share", "is_peak", "is_near_peak", "is_like_peak",
)  # fmt: skip
RATIO = ("kind", "at_peak", "ratio", "ratio_low", "ratio_high", "verdict")
CELLS_HEADER = (*SUBJECT, *CELL, *MEASURED, *FIELDS)
RATIOS_HEADER = (*RATIO, *SUBJECT, *CELL, *(f"base_{name}" for name in CELL))


def cells(study: Study) -> bytes:
    """One line a cell; empty where a value is not known."""
    return csv_text(CELLS_HEADER, _cells(study)).encode()


def ratios(study: Study) -> bytes:
    """One line a comparison, with its interval."""
    return csv_text(RATIOS_HEADER, map(_ratio, every(study))).encode()


def _cells(study: Study) -> Iterator[Mapping[str, Any]]:
    for curve in study.curves:
        for cell in curve.cells:
            low, high = cell.interval
            share = cell.gpu_share
            yield {
                **_subject(cell), **_named(cell, ""), **cell.facts,
                "images_per_joule": cell.images_per_joule,
                "rows": cell.rows, "processes": max(1, len(cell.timing.process_medians_s)),
                "median_s": cell.timing.median_s, "p99_s": cell.p99_s, "throughput_items_per_s": cell.throughput,
                "throughput_low_items_per_s": low, "throughput_high_items_per_s": high,
                "items_per_s_per_w": cell.images_per_s_per_w, "host_only_share": None if share is None else 1 - share,
                "is_peak": cell.batch == curve.peak.batch, "is_near_peak": cell.batch == curve.peak.near_batch,
                "is_like_peak": cell.batch in curve.peak.overlapping,
            }  # fmt: skip


def _ratio(one: Comparison) -> Mapping[str, Any]:
    found = one.ratio
    return {
        "kind": one.kind, "at_peak": one.at_peak, "ratio": found.ratio, "ratio_low": found.low,
        "ratio_high": found.high, "verdict": one.verdict,
        **_subject(one.cell), **_named(one.cell, ""), **_named(one.base, "base_"),
    }  # fmt: skip


def _subject(cell: Cell) -> dict[str, Any]:
    return dict(zip(SUBJECT, (cell.subject.model, cell.subject.weights, cell.subject.image_size_px), strict=True))


def _named(cell: Cell, prefix: str) -> dict[str, Any]:
    config = cell.config
    values = (cell.device.name, config.runtime, config.precision, config.threads, config.l2_flushed, cell.batch)
    return {f"{prefix}{name}": value for name, value in zip(CELL, values, strict=True)}
