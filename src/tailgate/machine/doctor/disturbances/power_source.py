"""A machine that runs on its battery saves power at the expense of speed."""

import psutil

from tailgate.machine.doctor.host import Host, asking
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 100
SUPPLIES = "/sys/class/power_supply/*"
ON_BATTERY = Verdict("disturbs", "on battery: plug in the charger")


def power_source(host: Host) -> Verdict:
    """The machine's own batteries; a mouse's have the scope ``Device``."""
    if host.system != "Linux":
        return _elsewhere(host)
    batteries = [
        supply
        for supply in host.glob(SUPPLIES)
        if host.read_if_there(f"{supply}/type") == "Battery" and host.read_if_there(f"{supply}/scope") != "Device"
    ]
    if any(host.read_if_there(f"{battery}/status") == "Discharging" for battery in batteries):
        return ON_BATTERY
    return Verdict("ok", "mains" if batteries else "no battery")


def _elsewhere(host: Host) -> Verdict:
    if not hasattr(psutil, "sensors_battery"):
        return Verdict("unknown", f"psutil knows no batteries on {host.system}")
    with asking("the battery"):
        battery = psutil.sensors_battery()
    if battery is None:
        return Verdict("ok", "no battery")
    return ON_BATTERY if battery.power_plugged is False else Verdict("ok", "mains")


CHECKS = (Check("power source", power_source, linux_only=False),)
