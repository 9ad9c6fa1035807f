"""Study 5's saved rows of training: what was trained, how fast, and what the machine did meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studies.values import FLOPS_PER_MAC, USABLE, count, finite, scaled, threads_text
from tailgate.results.rows import warnings_of
from tailgate.results.saved_run import Run, machine_id_of, machine_of

STUDY, TEST = "training", "test_training"


@dataclass(frozen=True)
class Setting:
    """What the rows of one table share."""

    machine: str
    cpu_model: str
    device: str
    threads: int | None
    precision: str
    image_size_px: int | None
    classes: int | None
    data: str

    @property
    def title(self) -> str:
        """``cpu, 2 threads, fp32, 64 px, synthetic``."""
        threads = threads_text(self.threads) if self.device == "cpu" else ""
        return ", ".join(part for part in (self.device, threads, self.precision, f"{self.image_size_px} px") if part)


@dataclass(frozen=True)
class Trained:
    """One row."""

    setting: Setting
    model: str
    batch_size: int | None
    scenario: str
    status: str
    info: Mapping[str, Any]
    machine: Mapping[str, Any]
    """``machine_info`` of its run."""
    median_s: float | None

    @property
    def usable(self) -> bool:
        """Whether its times are the code's own."""
        return self.status in USABLE and self.number("images_per_s") is not None

    def number(self, field: str) -> float | None:
        """A finite number of ``extra_info``."""
        return finite(self.info.get(field))

    @property
    def warnings(self) -> list[str]:
        """What a reader must mind."""
        return warnings_of(self.info)

    def train_flop_per_s(self) -> float | None:
        """End to end, waits for data included: what the source's column means."""
        return _product(self.number("training_flops_per_item"), self.number("images_per_s"))

    def val_flop_per_s(self) -> float | None:
        """Of the forward passes of validation, end to end."""
        return _product(scaled(self.number("macs"), FLOPS_PER_MAC), self.number("val_images_per_s"))


def trained(runs: Sequence[Run]) -> list[Trained]:
    """Every row of training, in the order of the runs."""
    return [one for run in runs for one in _of_run(run)]


def by_setting(rows: Sequence[Trained]) -> dict[Setting, list[Trained]]:
    """One table each, in the order of first sight."""
    found: dict[Setting, list[Trained]] = {}
    for one in rows:
        found.setdefault(one.setting, []).append(one)
    return found


def _of_run(run: Run) -> Iterator[Trained]:
    machine = run.get("machine_info") or {}
    facts = machine_of(run) or {}
    for bench in run["benchmarks"]:
        info = bench.get("extra_info") or {}
        if info.get("study") != STUDY or finite(info.get("images_per_s")) is None:
            continue
        setting = Setting(
            machine_id_of(run) or "unknown", str(facts.get("cpu_model")), str(info.get("device")),
            count(info.get("threads")), str(info.get("precision")), count(info.get("image_size")),
            count(info.get("classes")), str(info.get("data")),
        )  # fmt: skip
        yield Trained(
            setting, str(info.get("model")), count(info.get("batch_size")), str(info.get("scenario") or ""),
            str(info.get("status", "ok")), info, machine, finite(bench["stats"].get("median")),
        )  # fmt: skip


def _product(one: float | None, other: float | None) -> float | None:
    return None if one is None else scaled(other, one)
