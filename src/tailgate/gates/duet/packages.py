"""What two environments have in different versions, of all that the sides of a duet imported."""

from __future__ import annotations

import contextlib
import filecmp
import os
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from tailgate.gates.duet.side_files import INSTRUMENT, Files
from tailgate.text import counted

MOST_NAMED = 4
"""Packages in a verdict's line."""


def two_environments(base: Files, head: Files) -> bool:
    """Whether the sides import packages from different folders."""
    return bool(base.report["packages"] != head.report["packages"])


def anything_differs(base: Files, head: Files) -> bool:
    """What one side alone has counts unless pytest's plug-ins brought it: xdist in one environment is no other code."""
    reports = (base.report, head.report)
    files = [{**one["modules"], **{Path(file).name: file for file in one["native"]}} for one in reports]
    both = [{name: file for name, file in one.items() if name.partition(".")[0] not in INSTRUMENT} for one in files]
    for one, mine, other in ((base, both[0], both[1]), (head, both[1], both[0])):
        if mine.keys() - other.keys() - set(one.report["plugins"]):
            return True
    return _other_content(*both)


def differing(base: Files, head: Files, project: Collection[str]) -> str | None:
    """``onnxruntime 1.20.1 → 1.24.1, numpy 2.1.0 → 2.3.5``: Python, then packages, those of most bytes first.

    Args:
        base: one side's files.
        head: the other's.
        project: names of the project's own packages, which are left out.

    Returns:
        The first few and how many more; ``None``: none differs.
    """
    pythons = [str(side.report["interpreter"][1]).partition(" ")[0] for side in (base, head)]
    found = [f"Python {pythons[0]} → {pythons[1]}"] if pythons[0] != pythons[1] else []
    names = {*base.elsewhere, *head.elsewhere} - set(project)
    # A module with an underscore before its name is a part of a package beside it.
    ordered = sorted((-_size_bytes(base, head, name), name) for name in names if not name.startswith("_"))
    found += [told for _, name in ordered if (told := _difference(base, head, name)) is not None]
    if not found:
        return None
    more = len(found) - MOST_NAMED
    return ", ".join(found[:MOST_NAMED]) + (f" and {counted(more, 'others')}" if more > 0 else "")


def _difference(base: Files, head: Files, name: str) -> str | None:
    mine, other = base.elsewhere.get(name), head.elsewhere.get(name)
    if mine is None or other is None:
        side, where = (head, "head") if mine is None else (base, "base")
        plugins = {module.partition(".")[0] for module in side.report["plugins"]}
        version = side.report["versions"].get(name)
        return None if name in plugins else f"{name}{f' {version}' if version else ''} (in {where} alone)"
    versions = [side.report["versions"].get(name) for side in (base, head)]
    if versions[0] != versions[1]:
        return f"{name} {versions[0] or '(no version)'} → {versions[1] or '(no version)'}"
    if _other_content(mine, other):
        return f"{name} {versions[0] or '(no version)'} with other contents"
    return None


def _other_content(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Of the modules that both have."""
    return any(not _equal(file, other[name]) for name, file in one.items() if name in other)


def _size_bytes(base: Files, head: Files, name: str) -> int:
    return max(sum(map(_bytes, side.elsewhere.get(name, {}).values())) for side in (base, head))


def _bytes(file: str) -> int:
    with contextlib.suppress(OSError):  # a module in a zip file
        return Path(file).stat().st_size
    return 0


@cache
def _equal(one: str, other: str) -> bool:
    try:
        return one == other or os.path.samefile(one, other) or filecmp.cmp(one, other, shallow=False)  # noqa: PTH121
    except OSError:
        return False
