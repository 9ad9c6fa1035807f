"""The findings of DEEP-GAP (Palaniappan, arXiv 2604.14552), and which of them hold here, as a section of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from studies.gpu_precision import votes
from studies.gpu_precision.predicates import VERDICTS, Finding, peaks_within, throughout, unmeasurable, up_to
from studies.gpu_precision.ratios import BEST_CPU, OVER_GPU, SOURCE_CPU
from studies.gpu_precision.reading import Study
from studies.markdown_table import table, words

NO_PAIR = "no GPU has fp32 and fp16 or int8 of one model by one runtime with this value"
FINDINGS: Sequence[Finding] = (
    up_to("INT8 over CPU baselines (pytorch fp32, the source's CPU study)", 58, SOURCE_CPU, precision="int8"),
    up_to("the same over the best CPU row of any runtime and precision", 58, BEST_CPU, precision="int8"),
    up_to("L4 over T4", 4.4, OVER_GPU, gpus=("L4", "T4")),
    throughout("L4 is above T4 in every precision", votes.gpu_over_gpu("L4", "T4"),
               "L4 and T4 share no cell", gpus=("L4", "T4")),
    peaks_within("L4", 16, 32),
    throughout("INT8 has the highest throughput", votes.fastest_precision("int8"),
               "no GPU has int8 and another precision of one model"),
    throughout("FP16 is consistently above FP32", votes.faster_than_fp32("fp16"),
               "no GPU has fp16 and fp32 of one model by one runtime"),
    throughout("reduced precision (FP16, INT8) needs less memory", votes.less_memory,
               NO_PAIR),
    throughout("reduced precision (FP16, INT8) needs less power", votes.less_power, NO_PAIR),
    throughout("reduced precision (FP16, INT8) gives more images per joule", votes.more_per_joule, NO_PAIR),
    unmeasurable("T4 remains competitive for large batches", "no number",
                 "the source names no margin and no batch that would decide it; see the energy table"),
)  # fmt: skip
"""In the source's order; the second is ours."""


def section(study: Study) -> list[str]:
    """Markdown: each finding, its published number, what is here, and the verdict."""
    judged = [(finding, finding.judge(study)) for finding in FINDINGS]
    counts = Counter(one.verdict for _, one in judged)
    said = ", ".join(f"{name}: {counts[name]}" for name in VERDICTS if counts[name])
    lines = [
        (finding.text, finding.published, words(one.seen) or "-", one.verdict, words(one.reason or ""))
        for finding, one in judged
    ]
    return [
        "## Findings of the source\n",
        f"{len(FINDINGS)} findings; {said}.\n",
        table(("finding", "published", "here", "verdict", "because"), lines, text_columns=4, text_last=True),
        "The source measured a T4, an L4 and a CPU; a ratio over a CPU says as much about the CPU. A cell counts for "
        "or against a finding when its 95 % interval excludes 1. Memory, power and energy have one number per cell, "
        "which counts when it differs by more than 5 %. Of twenty equal cells one would count by chance.\n",
    ]
