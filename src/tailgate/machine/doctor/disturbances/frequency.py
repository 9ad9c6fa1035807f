"""The processor's frequency: who sets it (the governor), and whether it may go above its base (turbo)."""

from dataclasses import dataclass

from tailgate.machine.doctor.cpu_lists import named
from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 30
CPUS = "/sys/devices/system/cpu"
OWN_ALGORITHM = {"intel_pstate", "amd-pstate-epp"}
"""Drivers whose ``powersave`` is an algorithm of the driver's or the processor's own, steered by a preference
(EPP), and not the governor that stays at the lowest frequency. In passive mode these drivers have other names."""
FASTEST_PREFERENCES = {"performance", "0"}


@dataclass(frozen=True)
class Policy:
    """How the frequency of one CPU is chosen."""

    governor: str
    driver: str
    preference: str
    pinned: bool

    @property
    def steady(self) -> bool:
        """Whether it stays where it is, whatever the load."""
        if self.governor in ("performance", "userspace") or self.pinned:
            return True
        return self.driver in OWN_ALGORITHM and self.preference in FASTEST_PREFERENCES

    def __str__(self) -> str:
        if self.pinned:
            return f"{self.governor} ({self.driver}), lowest and highest frequency set to the same"
        if self.driver in OWN_ALGORITHM:
            return f"{self.governor} ({self.driver}, preference {self.preference or 'unknown'})"
        return f"{self.governor} ({self.driver})"


def governor(host: Host) -> Verdict:
    """Each CPU we may use; those treated alike are named together."""
    policies: dict[Policy, list[int]] = {}
    for cpu in sorted(host.usable):
        if host.exists(f"{CPUS}/cpu{cpu}/cpufreq/scaling_governor"):
            policies.setdefault(_policy(host, f"{CPUS}/cpu{cpu}/cpufreq"), []).append(cpu)
    if not policies:
        return _not_shown(host, "no driver for the frequency is loaded (no cpufreq below /sys/devices/system/cpu)")
    text = "; ".join(f"{policy} on {named(cpus)}" for policy, cpus in policies.items())
    unsteady = [policy for policy in policies if not policy.steady]
    if not unsteady:
        return Verdict("ok", text)
    if all(policy.governor == "powersave" and policy.driver not in OWN_ALGORITHM for policy in unsteady):
        return Verdict("disturbs", f"{text}: held at the lowest frequency", _to_performance(host))
    return Verdict("disturbs", f"{text}: the frequency follows the load", _to_performance(host))


def turbo(host: Host) -> Verdict:
    """Above its base frequency a CPU is as fast as its neighbours and its temperature let it be."""
    # intel_pstate's switch cannot be read while that driver is off.
    if host.read_if_there(f"{CPUS}/intel_pstate/status") != "off" and host.exists(f"{CPUS}/intel_pstate/no_turbo"):
        name, on, off = f"{CPUS}/intel_pstate/no_turbo", 0, 1
        return _turbo([name], on=host.integer(name) == on, remedy=f"echo {off} | sudo tee {name}")
    switches = [name for name in (f"{CPUS}/cpufreq/boost",) if host.exists(name)]
    switches = switches or host.glob(f"{CPUS}/cpufreq/policy*/boost")
    if not switches:
        return _not_shown(
            host, "the kernel has no switch for it here (neither intel_pstate/no_turbo nor cpufreq/boost)"
        )
    pattern = switches[0] if len(switches) == 1 else f"{CPUS}/cpufreq/policy*/boost"
    on = any(host.integer(name) == 1 for name in switches)
    return _turbo(switches, on=on, remedy=f"echo 0 | sudo tee {pattern}")


def _turbo(switches: list[str], *, on: bool, remedy: str) -> Verdict:
    name = switches[0].removeprefix(f"{CPUS}/")
    if on:
        text = f"on ({name}): the frequency depends on temperature and on how many cores are busy"
        return Verdict("disturbs", text, remedy)
    return Verdict("ok", f"off ({name})")


def _policy(host: Host, folder: str) -> Policy:
    lowest, highest = (host.read_if_there(f"{folder}/scaling_{end}_freq") for end in ("min", "max"))
    return Policy(
        governor=host.read(f"{folder}/scaling_governor"),
        driver=host.read(f"{folder}/scaling_driver"),
        preference=host.read_if_there(f"{folder}/energy_performance_preference") or "",
        pinned=lowest is not None and lowest == highest,
    )


def _to_performance(host: Host) -> str:
    if host.which("cpupower"):
        return "sudo cpupower frequency-set -g performance"
    return f"echo performance | sudo tee {CPUS}/cpu*/cpufreq/scaling_governor"


def _not_shown(host: Host, reason: str) -> Verdict:
    if host.hypervisor:
        return Verdict("note", f"the host decides; its hypervisor ({host.hypervisor}) shows nothing of it")
    return Verdict("unknown", reason)


CHECKS = (Check("governor", governor), Check("turbo", turbo))
