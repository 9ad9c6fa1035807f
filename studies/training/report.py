"""Study 5's training from saved runs: scenarios A and B beside the published figures, and the source's CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studies.markdown_table import MISSING, code, number, percent, table, words
from studies.training import source_csv
from studies.training.published import (
    BATCHES,
    CLASSES,
    CPU_MACHINE,
    GPU_MACHINE,
    IMAGE_SIZE_PX,
    ORDER,
    PUBLISHED,
    WRONG,
)
from studies.training.rows import STUDY, TEST, Setting, Trained, by_setting, trained
from studies.values import MIB, no_row, per, scaled, unmeasured
from tailgate.results.saved_run import Run

NAME = "training"
COMMAND = "benchmarks/test_training_roofline.py"
COLUMNS = (
    "model", "batch", "images/s", "published CPU", "published T4", "data wait", "step ms", "GFLOP/s", "CPU",
    "memory MiB", "acc@1", "acc@5", "loss", "status",
)  # fmt: skip


def render(runs: Sequence[Run]) -> str:
    """Markdown: a part for each machine, device, precision and image size."""
    rows = _rows(runs)
    parts = ["# Training (study 5)\n", _preface()]
    for setting, found in by_setting(rows).items():
        parts += _part(setting, found)
    missing = [(code(name), status, code(reason)) for name, status, reason in unmeasured(runs, f"::{TEST}")]
    if missing:
        parts += ["## Not measured\n", table(("benchmark", "status", "reason"), missing, text_columns=3)]
    parts += ["## What was wrong with the source\n", table(("the source", "here"), WRONG, text_columns=2)]
    return "\n".join(part for part in parts if part)


def attachments(runs: Sequence[Run]) -> Mapping[str, bytes]:
    """The source's 44-column CSV."""
    return {".csv": source_csv.render(_rows(runs)).encode()}


def _rows(runs: Sequence[Run]) -> list[Trained]:
    found = trained(runs)
    if not found:
        raise no_row(NAME, f"row of the study {STUDY}", COMMAND)
    return found


def _preface() -> str:
    return (
        f"Published: images/s over {BATCHES} batches on an {CPU_MACHINE} (4 vCPUs) and a {GPU_MACHINE}, at "
        f"{IMAGE_SIZE_PX} px with {CLASSES:,} outputs. Only rows of that size can be compared with them "
        "(`--protocol=paper`). images/s is end to end and includes waits for data. A step is forward, backward and "
        "optimiser. GFLOP/s is 6 × MACs × images over the time of the steps.\n"
    )


def _part(setting: Setting, rows: Sequence[Trained]) -> list[str]:
    data = "synthetic images: no accuracy is claimed" if setting.data == "synthetic" else setting.data
    parts = [
        f"## {code(setting.title)}\n",
        f"{code(setting.machine)}, {code(setting.cpu_model)}; {words(data)}; {setting.classes} classes.\n",
    ]
    for scenario, title in (("A", "Scenario A: models"), ("B", "Scenario B: batch sizes")):
        found = [one for one in rows if scenario in one.scenario.split("+")]
        if found:
            parts += [f"### {title}\n", table(COLUMNS, [_line(one) for one in found], text_last=True)]
            parts.append(order(found) if scenario == "A" else "")
    return parts


def _line(one: Trained) -> tuple[str, ...]:
    published = PUBLISHED.get(one.model)
    same = one.setting.image_size_px == IMAGE_SIZE_PX and one.setting.classes == CLASSES
    cpu = gpu = MISSING
    if published and same:
        cpu = number(published.cpu_images_per_s) if one.batch_size == published.cpu_batch_size else MISSING
        gpu = number(published.gpu_images_per_s) if one.batch_size == published.gpu_batch_size else MISSING
        gpu += " (NaN)" if published.diverged and gpu != MISSING else ""
    return (
        code(one.model), str(one.batch_size), number(one.number("images_per_s")), cpu, gpu,
        percent(one.number("data_wait_share")), number(scaled(one.median_s, 1e3)),
        number(per(one.number("achieved_flop_per_s"), 1e9)), percent(one.number("train_cpu_utilization")),
        number(per(one.number("memory_peak_bytes"), MIB)), percent(one.number("acc1")), percent(one.number("acc5")),
        f"{number(one.number('loss_first'))} to {number(one.number('loss_last'))}", one.status,
    )  # fmt: skip


def order(rows: Sequence[Trained]) -> str:
    """Whether the published order of the four models on a CPU holds here."""
    rates = {one.model: rate for one in rows if one.usable and (rate := one.number("images_per_s")) is not None}
    if not set(ORDER) <= set(rates):
        missing = [name for name in ORDER if name not in rates]
        return f"Order of the models: not judged; no usable row of {', '.join(missing)}.\n"
    seen = sorted(ORDER, key=lambda name: -rates[name])
    expected, found = " > ".join(ORDER), " > ".join(seen)
    verdict = "holds" if tuple(seen) == ORDER else f"does not hold: {found}"
    return f"Order of the models, published for a CPU: {expected}; here it {verdict}.\n"
