"""Study 2 from saved runs: the frameworks compared alike and as published, and which findings hold.

It takes the fair run, the run with ``--protocol=paper``, or both. The text is Markdown. Each group also has the
source's CSV and its three-panel picture: one group under the plain name, each other under a longer one.
"""

from __future__ import annotations

from collections.abc import Sequence

from studies.framework_comparison import picture, tables
from studies.framework_comparison.entries import Group, Key
from studies.framework_comparison.findings import MODEL, section
from studies.framework_comparison.groups import groups_of
from studies.markdown_table import words
from studies.values import check_one_machine, count, no_row
from tailgate import printable
from tailgate.results.saved_run import Run, machine_id_of, machine_of
from tailgate.text import file_part

NAME = "framework-comparison"
BATCH = 1000


def render(runs: Sequence[Run]) -> str:
    """Markdown: the findings against each other, then every group's tables."""
    groups = _groups(runs)
    chosen = headline(groups, _usable_cpus(runs))
    parts = ["# Frameworks compared (study 2)\n", *(f"- {words(fact)}" for fact in _machine(runs)), ""]
    parts.append(f"The plain `.csv` and `.png` show: {words(chosen.key.label)}.\n")
    parts += section(groups, chosen)
    for group in groups:
        parts += [
            f"## {words(group.key.label)}\n",
            f"{words(_versions(group))}.\n",
            tables.as_bars(group),
            tables.as_markdown(group),
        ]
    return "\n".join(parts)


def attachments(runs: Sequence[Run]) -> dict[str, bytes]:
    """``.csv`` and ``.png`` of the group that :func:`headline` picks, and of each other under a suffix of its own."""
    groups = _groups(runs)
    found = {}
    for suffix, group in suffixes(groups, headline(groups, _usable_cpus(runs))).items():
        found[f"{suffix}.csv"] = tables.as_csv(group)
        found[f"{suffix}.png"] = picture.as_png(group, [_versions(group), *_machine(runs)])
    return found


def headline(groups: Sequence[Group], usable_cpus: int | None) -> Group:
    """The study's question: the mlp compared alike, batch 1000, on all CPUs; as published where nothing else is."""

    def fitness(group: Group) -> tuple[bool | int, ...]:
        key = group.key
        threads, batch = key.threads or 0, key.batch_size or 0
        fits = usable_cpus is None or threads <= usable_cpus
        return (
            not key.as_published, key.model == MODEL, key.precision == "fp32", batch == BATCH, batch,
            fits, threads if fits else -threads, len(group.by_runtime),
        )  # fmt: skip

    return max(groups, key=fitness)


def suffixes(groups: Sequence[Group], chosen: Group) -> dict[str, Group]:
    """What follows the report's stem in the names of each group's files: nothing for the chosen group."""
    found = {"": chosen}
    for group in groups:
        if group is chosen:
            continue
        key = group.key
        plain = _suffix(key, chosen.key)
        sha256 = f"-{(key.model_sha256 or 'unknown')[:8]}"
        suffix = next(
            name for name in (plain, plain + sha256, *(f"{plain}{sha256}-{nth}" for nth in range(2, len(groups) + 3)))
            if name not in found
        )  # fmt: skip
        found[suffix] = group
    return found


def _suffix(key: Key, chosen: Key) -> str:
    if key.as_published:
        return "-as-published"
    names = [name for name, other in ((key.model, chosen.model), (key.precision, chosen.precision)) if name != other]
    parts = (*(file_part(str(name)) for name in names), f"b{key.batch_size}", f"t{key.threads}")
    return "".join(f"-{part}" for part in parts)


def _groups(runs: Sequence[Run]) -> list[Group]:
    check_one_machine(NAME, runs)
    groups = groups_of(runs)
    if not groups:
        raise no_row(NAME, "row of study 2", "benchmarks/test_framework_comparison.py")
    return groups


def _usable_cpus(runs: Sequence[Run]) -> int | None:
    return count((machine_of(runs[0]) or {}).get("usable_cpus"))


def _machine(runs: Sequence[Run]) -> list[str]:
    facts, identity = machine_of(runs[0]) or {}, machine_id_of(runs[0])
    if not facts:
        return ["machine unknown: saved without Tailgate"]
    days = sorted({str(run.get("datetime") or "an unknown day")[:10] for run in runs})
    return [
        printable(
            f"{facts.get('cpu_model')}, {facts.get('usable_cpus')} usable CPUs; machine {identity}; {', '.join(days)}"
        )
    ]


def _versions(group: Group) -> str:
    measured = [entry for entry in group.entries if entry.measured]
    protocols = ", ".join(dict.fromkeys(str(entry.protocol) for entry in measured)) or "unknown"
    versions = dict.fromkeys(f"{entry.name.removesuffix(' compiled')} {entry.version or '?'}" for entry in measured)
    alike = "as the source measured" if group.key.as_published else "compared alike"
    return f"Protocol {protocols}, {alike}; {', '.join(versions)}"
