"""Heat: sensors near the point where the processor slows down, and how often it has since boot."""

from collections.abc import Iterator
from dataclasses import dataclass

from tailgate.machine.doctor.host import Host, UnreadableError
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 70
MARGIN_C = 5.0
ZONES = "/sys/class/thermal/thermal_zone*"
SENSORS = "/sys/class/hwmon/hwmon*"
CPU_SENSORS = {"coretemp", "k10temp", "zenpower", "cpu_thermal"}
COUNTS = "/sys/devices/system/cpu/cpu*/thermal_throttle"


@dataclass(frozen=True)
class Reading:
    """One sensor's temperature and its limit, in degrees Celsius."""

    name: str
    now_c: float
    limit_c: float | None

    @property
    def hot(self) -> bool:
        """Near enough to the limit that a benchmark's heat reaches it."""
        return self.limit_c is not None and self.now_c > self.limit_c - MARGIN_C


def temperature(host: Host) -> Verdict:
    """The hottest sensor, seen from its own limit."""
    readings = [*_zones(host), *_sensors(host)]
    if not readings:
        if host.hypervisor:
            return Verdict("note", f"the hypervisor ({host.hypervisor}) shows no sensors")
        return Verdict("unknown", "no sensors (neither /sys/class/thermal nor /sys/class/hwmon has any)")
    worst = max(readings, key=lambda reading: reading.now_c - (reading.limit_c or 1000.0))
    limit = "it tells no limit" if worst.limit_c is None else f"limit {worst.limit_c:.0f} °C"
    text = f"{worst.name} {worst.now_c:.0f} °C ({limit})"
    text += f", of {len(readings)} sensors the nearest to its limit" if len(readings) > 1 else ""
    if worst.hot:
        return Verdict("disturbs", text, "watch -n 1 'grep . /sys/class/thermal/thermal_zone*/temp'")
    return Verdict("ok", text)


def throttling(host: Host) -> Verdict | None:
    """Intel's counts since boot: the largest of any core, because a package counts on each of them."""
    largest = {
        kind: max((host.integer(name) for name in host.glob(f"{COUNTS}/{kind}_throttle_count")), default=None)
        for kind in ("core", "package")
    }
    if largest["core"] is None and largest["package"] is None:
        return None  # only Intel's processors count it, and no virtual machine sees it
    if not any(largest.values()):
        return Verdict("ok", "not once since boot")
    text = f"up to {largest['core'] or 0} times a core and {largest['package'] or 0} times a package since boot"
    return Verdict("note", f"{text}; compare before and after a run", f"grep . {COUNTS}/*_throttle_count")


def _zones(host: Host) -> Iterator[Reading]:
    """Zones with the lowest point at which the kernel slows something down (or the machine off)."""
    for zone in host.glob(ZONES):
        try:
            now_c = host.integer(f"{zone}/temp") / 1000
        except UnreadableError:
            continue  # a zone whose device is asleep cannot be read; that is no finding
        limits = [
            host.integer(name.removesuffix("type") + "temp") / 1000
            for name in host.glob(f"{zone}/trip_point_*_type")
            if host.read(name) in ("passive", "hot", "critical")
        ]
        yield Reading(host.read(f"{zone}/type"), now_c, min((limit for limit in limits if limit > 0), default=None))


def _sensors(host: Host) -> Iterator[Reading]:
    """The processor's own, where the kernel has no zone for them."""
    for chip in host.glob(SENSORS):
        if host.read_if_there(f"{chip}/name") not in CPU_SENSORS:
            continue
        for name in host.glob(f"{chip}/temp*_input"):
            stem = name.removesuffix("_input")
            # temp*_max is where fans have to be at full speed; the processor slows down at temp*_crit.
            limit_c = host.integer(f"{stem}_crit") / 1000 if host.exists(f"{stem}_crit") else None
            label = host.read_if_there(f"{stem}_label") or host.read(f"{chip}/name")
            yield Reading(label, host.integer(name) / 1000, limit_c)


CHECKS = (Check("temperature", temperature), Check("throttling", throttling))
