"""What Tailgate adds to pytest-benchmark's JSON; docs/reference/json-fields.md lists it."""

from typing import Any

from tailgate.machine import fingerprint as environment
from tailgate.number import number
from tailgate.results import columns
from tailgate.results.plain import plain
from tailgate.results.saved_run import NEEDED
from tailgate.results.schema import SCHEMA_VERSION
from tailgate.session.items import whole
from tailgate.session.settings import Settings


def describe_machine(machine_info: dict[str, Any], fingerprint: dict[str, Any]) -> None:
    """Add the fingerprint and the facts beside it."""
    machine_info["fingerprint"] = fingerprint
    machine_info["fingerprint_id"] = environment.fingerprint_id(fingerprint)
    machine_info["machine_facts"] = environment.machine_facts()


def settings_of(settings: Settings, start_method: str | None) -> dict[str, Any]:
    """How the run was measured; ``start_method``: how processes were started, ``None`` where there were none."""
    seeded = settings.order == "random" or settings.processes > 1
    return {
        "protocol": settings.protocol.name if settings.protocol else None,
        "order": settings.order,
        "seed": settings.seed if seeded else None,
        "isolation": "process" if start_method else "none",
        "start_method": start_method,
        "processes": settings.processes if start_method else 1,
        "tenants": settings.tenants if start_method else 1,
        "tenant_cpus": settings.tenant_cpus if start_method and settings.tenants > 1 else None,
    }


def incomplete(extent: dict[str, Any]) -> str:
    """The line on a saved run that is not complete; pytest has said what interrupted it."""
    reasons = extent["incomplete_because"]
    if extent["interrupted"]:
        reasons = ["interrupted", *reasons[1:]]
    return f"The saved run holds a part of the benchmarks ({'; '.join(reasons)}): the others will not count as removed."


def next_command(name: str) -> str:
    """The line on a run that was saved among the baselines, and compared with none."""
    from tailgate.stats.prediction import LEAST_SESSIONS

    return (
        f"Next: --benchmark-compare={name} shows what has changed since this run; with --gate a regression fails, from "
        f"{LEAST_SESSIONS} saved runs on. --duet=GIT_REF needs none."
    )


def complete_json(benchmarks: list[Any], output_json: dict[str, Any]) -> None:
    """Add the schema's version, and P99's intervals to every row measured here."""
    output_json["tailgate_schema_version"] = SCHEMA_VERSION
    by_name: dict[str, list[Any]] = {}
    for bench in whole(benchmarks):
        by_name.setdefault(bench.fullname, []).append(bench)
    kept = []
    for bench in output_json["benchmarks"]:
        nothing = [name for name in NEEDED if number(bench["stats"].get(name)) is None]
        if nothing:  # one such row would make the whole file unreadable
            reason = f"not saved: no number for {', '.join(nothing)} (what did --benchmark-timer give?)"
            unmeasured = {"fullname": bench["fullname"], "status": "failed", "reason": reason}
            output_json["unmeasured"] = [*output_json.get("unmeasured", ()), unmeasured]
            continue
        kept.append(bench)
        bench.update({name: plain(value) for name, value in bench.items() if name != "stats"})
        same = by_name.get(bench["fullname"])
        if same:  # a project's own hook may add others; of one name they are in the order in which they were measured
            stats = same.pop(0).stats
            bench["stats"].update(columns.p99_interval(stats.sorted_data, bench["extra_info"]))
            bench["stats"].update(columns.p99_blocks_interval(stats.data, stats.sorted_data, bench["extra_info"]))
    output_json["benchmarks"][:] = kept
