"""Every cell of reduced precision against its FP32 partner: answers, speed, size, and one verdict."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studies.markdown_table import MISSING, code, number, table
from studies.reduced_precision.limits import VARIABLE, limits_from
from studies.reduced_precision.verdict import (
    NOT_COMPARABLE,
    VERDICTS,
    Answers,
    Judgement,
    Limits,
    SpeedUp,
    Timing,
    judge,
    speed_up,
    top1_interval,
)
from studies.values import DISTURBED, no_row, positive, threads_text
from tailgate import is_number
from tailgate.results.pages.content import machine_facts
from tailgate.results.precision_labels import arithmetic, narrow_weights
from tailgate.results.saved_run import Run

NAME = "accuracy"
BASE, REDUCED = "fp32", ("tf32", "bf16", "fp16", "int8")
SAME = ("study", "model", "runtime", "device", "threads", "batch_size", "image_size", "weights", "model_sha256")
"""What a cell must share with its partner."""
OF_FILES = "onnx-profiles"
"""The study of files as they are, which compares a file's answers with the file itself."""
ITSELF = "its answers were compared with those of the same file, which does not show what quantising costs"
HEADER = (
    "verdict", "model", "runtime", "precision", "threads", "batch", "SNR dB", "top-1 (95 %)", "speed-up (95 %)", "size",
    "because",
)  # fmt: skip

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
Measured = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""Full name, ``stats`` with ``data`` where it was kept, ``extra_info``."""


@dataclass(frozen=True)
class Judged:
    """One cell of reduced precision."""

    fullname: str
    info: Mapping[str, Any]
    judgement: Judgement
    speed: SpeedUp | None
    size_ratio: float | None
    answers: Answers


def render(runs: Sequence[Run]) -> str:
    """Markdown, a table a run: partners are of the same run."""
    limits = limits_from(os.environ)
    parts = ["# Reduced precision against FP32\n"]
    count = 0
    for run in runs:
        rows = [(bench["fullname"], bench["stats"], bench.get("extra_info") or {}) for bench in run["benchmarks"]]
        found = judged(rows, limits)
        count += len(found)
        if found:
            parts += _part(run, found)
    if not count:
        raise no_row(NAME, f"row of reduced precision ({', '.join(REDUCED)})", "benchmarks --precisions fp32,int8")
    return "\n".join([*parts, _notes(limits)])


def judged(rows: Iterable[Measured], limits: Limits) -> list[Judged]:
    """Every cell of reduced precision among the rows of one run, the gravest verdicts first."""
    rows = [one for one in rows if one[2].get("phase") != "training"]  # it has no answers to compare
    partners: dict[tuple[Any, ...], Measured] = {}
    for one in rows:
        if one[2].get("precision") == BASE:
            partners.setdefault(_key(one), one)
    found = [_judged(one, partners.get(_key(one)), limits) for one in rows if _reduced(one[2].get("precision"))]
    return sorted(found, key=lambda one: VERDICTS.index(one.judgement.verdict))


def _reduced(label: Any) -> bool:
    """Also of ``fp32, weights int8``: FP32's arithmetic on other weights."""
    return arithmetic(label) in REDUCED or (arithmetic(label) == BASE and narrow_weights(label) is not None)


def line(one: Judged) -> str:
    """``not accurate enough: mobilenet_v2 int8 on openvino, 1 thread, batch 1: 4.2 dB, 10 dB at least``."""
    info = one.info
    where = f"{threads_text(info.get('threads')) or 'unknown threads'}, batch {info.get('batch_size')}"
    return f"{one.judgement.verdict}: {_cell(info)}, {where}: {one.judgement.because}"


def lines(found: Iterable[Judged]) -> list[str]:
    """Each kind of judgement once, with its count; a number that differs between its rows as ``LOWEST to HIGHEST``.

    ``not accurate enough: 8 rows: resnet18 int8 on onnxruntime (4), resnet18 int8 on openvino (4): 3.1 to 4.2 dB,
    10 dB at least``
    """
    kinds: dict[tuple[str, str], list[Judged]] = {}
    for one in found:
        kinds.setdefault((one.judgement.verdict, NUMBER.sub("#", one.judgement.because)), []).append(one)
    return [line(ones[0]) if len(ones) == 1 else _line_of_several(ones) for ones in kinds.values()]


def _line_of_several(ones: Sequence[Judged]) -> str:
    cells = Counter(_cell(one.info) for one in ones)
    said = ", ".join(f"{cell} ({count})" for cell, count in cells.items())
    texts = [one.judgement.because for one in ones]
    ranges = iter([_range(numbers) for numbers in zip(*map(NUMBER.findall, texts), strict=True)])
    because = NUMBER.sub(lambda _: next(ranges), texts[0])
    return f"{ones[0].judgement.verdict}: {len(ones)} rows: {said}: {because}"


def _range(numbers: Sequence[str]) -> str:
    low, high = min(numbers, key=float), max(numbers, key=float)
    return low if low == high else f"{low} to {high}"


def _cell(info: Mapping[str, Any]) -> str:
    return f"{info.get('model')} {info.get('precision')} on {info.get('runtime')}"


def _key(one: Measured) -> tuple[Any, ...]:
    fullname, _, info = one
    return (fullname.partition("[")[0], *(repr(info.get(name)) for name in SAME))


def _judged(one: Measured, partner: Measured | None, limits: Limits) -> Judged:
    fullname, stats, info = one
    if info.get("study") == OF_FILES:
        nothing = Answers(None, trained=False)
        return Judged(fullname, info, Judgement(NOT_COMPARABLE, ITSELF), None, None, nothing)
    answers = _answers(info)
    if partner is None:
        judgement = Judgement(NOT_COMPARABLE, "no fp32 row of the same model and cell in this run")
        return Judged(fullname, info, judgement, None, None, answers)
    _, base_stats, base_info = partner
    disturbed = [
        f"{name} is {that['status']}"
        for name, that in (("the fp32 row", base_info), ("this row", info))
        if that.get("status") in DISTURBED
    ]
    base, now = _timing(base_stats, base_info), _timing(stats, info)
    speed = None if base is None or now is None or disturbed else speed_up(base, now, limits.process_sd_rel)
    base_bytes, bytes_now = positive(base_info.get("model_bytes")), positive(info.get("model_bytes"))
    size_ratio = None if base_bytes is None or bytes_now is None else bytes_now / base_bytes
    judgement = judge(speed, size_ratio, answers, ", ".join(disturbed) or None, limits)
    return Judged(fullname, info, judgement, speed, size_ratio, answers)


def _answers(info: Mapping[str, Any]) -> Answers:
    top1, items = info.get("top1_agreement"), info.get("check_items")
    known = is_number(top1) and 0 <= top1 <= 1
    return Answers(
        snr_db=snr_db if is_number(snr_db := info.get("output_snr_db")) else None,
        equal=info.get("output_error_rel") == 0,
        top1=top1 if known else None,
        items=items if isinstance(items, int) and items > 0 else None,
        trained=info.get("weights") != "random",
    )


def _timing(stats: Mapping[str, Any], info: Mapping[str, Any]) -> Timing | None:
    median_s = positive(stats.get("median"))
    if median_s is None:
        return None
    rounds, medians = stats.get("data"), info.get("process_medians_s")
    return Timing(median_s, rounds or (), [time_s for time_s in medians or () if positive(time_s)])


def _part(run: Run, found: Sequence[Judged]) -> list[str]:
    counts = Counter(one.judgement.verdict for one in found)
    facts = [code(fact) for fact in machine_facts(run.get("machine_info") or {})]
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    return [
        f"## Run of {code(str(run.get('datetime') or 'an unknown day')[:16])}\n",
        f"{'; '.join(facts) or 'unknown machine'}\n",
        f"**{said}**\n",
        table(HEADER, [_cells(one) for one in found], text_columns=4, text_last=True),
    ]


def _cells(one: Judged) -> tuple[str, ...]:
    info, size = one.info, one.info.get("image_size")
    return (
        one.judgement.verdict, code(str(info.get("model"))) + (f" {size} px" if size else ""),
        code(str(info.get("runtime"))), str(info.get("precision")), str(info.get("threads") or MISSING),
        str(info.get("batch_size") or MISSING), "equal" if one.answers.equal else number(one.answers.snr_db, 3),
        _top1(one.answers), _speed(one.speed), MISSING if one.size_ratio is None else f"{one.size_ratio:.2f}x",
        code(one.judgement.because),
    )  # fmt: skip


def _top1(answers: Answers) -> str:
    if answers.top1 is None:
        return MISSING
    if not answers.items:
        return f"{answers.top1:.0%}"
    low, high = top1_interval(answers.top1, answers.items)
    share = f"{round(answers.top1 * answers.items)}/{answers.items} ({low:.0%} to {high:.0%})"
    return share if answers.trained else f"{share}, random weights"


def _speed(speed: SpeedUp | None) -> str:
    if speed is None:
        return MISSING
    ends = "?" if speed.low is None or speed.high is None else f"{speed.low:.2f} to {speed.high:.2f}"
    return f"{speed.ratio:.2f}x ({ends})"


def _notes(limits: Limits) -> str:
    return (
        f"Accurate enough: a signal-to-noise ratio of at least {limits.least_snr_db:g} dB, and a top-1 agreement that "
        f"the checked items do not show to be below {limits.least_top1:.0%}. With random weights the largest outputs "
        f"are near-ties, so the report shows their top-1 and does not judge it. Faster: at least "
        f"{limits.least_speed_up:g} times, and more than the noise. Smaller: the runtime loads at most "
        f"{limits.most_size_ratio:g} times the bytes. Other limits: {VARIABLE}=least_snr_db=20,least_speed_up=1.2\n"
    )
