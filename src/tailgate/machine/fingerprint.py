"""The fingerprint: what makes two saved numbers comparable; and the facts of a machine beside it.

Neither the host's name nor the momentary clock is part of it (docs/evidence/statistics.md): they change without
the numbers becoming incomparable.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tailgate.machine.cpus import cpu_quota, usable_cpus
from tailgate.machine.variables import FIRST_NAMES, recorded, without_folders

DEFAULT_PACKAGES = ("numpy",)


def fingerprint(
    packages: Iterable[str] = DEFAULT_PACKAGES, variables: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """What makes two numbers comparable, as docs/reference/json-fields.md lists it.

    ``packages``: distributions whose versions belong to it; one that is not installed is ``None``. ``variables``: the
    environment's.
    """
    import psutil  # 10 ms, and not every session takes a fingerprint

    gpu_models, driver_version = _nvidia()
    return {
        "cpu_model": cpu_model(),
        "arch": platform.machine(),
        "usable_cpus": usable_cpus(),
        "cpu_quota": cpu_quota(),
        "memory_total_bytes": psutil.virtual_memory().total,
        "gpu_models": gpu_models,
        "driver_version": driver_version,
        "thread_env": recorded(variables),
        "packages": {"python": platform.python_version(), **{name: _version(name) for name in sorted(set(packages))}},
    }


def fingerprint_id(facts: Mapping[str, Any]) -> str:
    """12 hex digits of a fingerprint.

    Memory counts to the nearest GiB: a kernel update moves the total by some kilobytes.
    """
    rounded = dict(facts)
    rounded["memory_total_bytes"] = round(facts["memory_total_bytes"] / 2**30)
    return hashlib.sha256(json.dumps(rounded, sort_keys=True).encode()).hexdigest()[:12]


def folder_name(facts: Mapping[str, Any]) -> str:
    """The name of the folder for runs with this fingerprint: a readable part, then the exact id."""
    model = re.sub(r"\((r|tm)\)|\bcpu\b|@.*", " ", facts["cpu_model"].lower())
    slug = "-".join(re.findall(r"[a-z0-9]+", model))[:32].strip("-") or facts["arch"]
    return f"{slug}-{facts['usable_cpus']}cpu-{fingerprint_id(facts)}"


def difference(ours: Mapping[str, Any], theirs: Mapping[str, Any] | None) -> list[str]:
    """Which parts of two fingerprints differ, one short text each; a missing one says so."""
    if not theirs:
        return ["the baseline has no fingerprint (saved without Tailgate)"]
    return [f"{name} {there} there, {here} here" for name, there, here in differing_parts(ours, theirs)]


def differing_parts(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each part that differs: its name, its value in ``theirs`` and in ``ours``, as text."""
    for key in sorted({*ours, *theirs}):
        here, there = ours.get(key), theirs.get(key)
        if key == "memory_total_bytes" and isinstance(here, int) and isinstance(there, int):
            here, there = f"{round(here / 2**30)} GiB", f"{round(there / 2**30)} GiB"
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            text = _variable if key == "thread_env" else _value
            for name in sorted({*here, *there}):
                values = [text(name, side.get(name)) for side in (there, here)]
                if values[0] != values[1]:
                    yield f"{key}.{name}", values[0], values[1]
        elif here != there:
            yield key, repr(there), repr(here)


def _value(name: str, value: Any) -> str:
    return repr(value)


def _variable(name: str, value: Any) -> str:
    """Files know only variables that were set, and older ones not all of them."""
    if value is None:
        return "None" if name in FIRST_NAMES else "not set or not recorded"
    return repr(without_folders(value) if isinstance(value, str) else value)


def machine_facts() -> dict[str, Any]:
    """Facts worth keeping that do not decide comparability; ``None``: not known."""
    import psutil

    return {
        "hostname": platform.node(),
        "os": _os_name(),
        "kernel": platform.release(),
        "arch": platform.machine(),
        "cpu_logical_cpus": psutil.cpu_count(logical=True),
        **_topology(),
        "mem_total_mb": psutil.virtual_memory().total // 2**20,
        "cpu_flags": sorted(cpu_flags()),
    }


@lru_cache(maxsize=1)
def cpu_model() -> str:
    """The processor's own name, or its architecture where it gives none."""
    match = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return match.group(1).strip() if match else platform.processor() or platform.machine()


@lru_cache(maxsize=1)
def cpu_flags() -> frozenset[str]:
    """Instruction set flags as Linux names them; empty where it does not say."""
    match = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return frozenset(match.group(1).split()) if match else frozenset()


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _topology() -> dict[str, int | None]:
    """Sockets, cores per socket and threads per core, from lscpu (util-linux)."""
    keys = {
        "Socket(s):": "cpu_sockets",
        "Core(s) per socket:": "cpu_cores_per_socket",
        "Thread(s) per core:": "cpu_threads_per_core",
    }
    found: dict[str, int | None] = dict.fromkeys(keys.values())
    try:
        text = subprocess.run(
            ["lscpu", "--json"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
            env={**os.environ, "LC_ALL": "C"},
        ).stdout
        for field, value in _lscpu_fields(json.loads(text)["lscpu"]):
            if field in keys and value.isdigit():
                found[keys[field]] = int(value)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return found  # no lscpu, or one that does not speak JSON: the facts stay None
    return found


def _lscpu_fields(entries: list[dict[str, Any]]) -> Iterable[tuple[str, str]]:
    for entry in entries:
        yield entry["field"], str(entry.get("data") or "")
        yield from _lscpu_fields(entry.get("children", []))


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _nvidia(proc: Path = Path("/proc/driver/nvidia")) -> tuple[list[str], str | None]:
    """GPU models and driver version as the kernel module tells them; no library is loaded."""
    models = []
    for information in sorted(proc.glob("gpus/*/information")):
        try:
            match = re.search(r"^Model:\s*(.+)$", information.read_text(errors="replace"), re.MULTILINE)
        except OSError:
            match = None  # a board that is lost, or gone since it was listed: the others are known all the same
        models.append(match.group(1).strip() if match else "unknown")
    try:
        match = re.search(r"\b(\d+(?:\.\d+)+)\b", (proc / "version").read_text(errors="replace"))
    except OSError:
        return models, None
    return models, match.group(1) if match else None
