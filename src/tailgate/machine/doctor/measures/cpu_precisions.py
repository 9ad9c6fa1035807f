"""Precisions the processor computes in natively, by the kernel's list of its instruction sets.

Native means arithmetic in that precision. Conversion to and from it (``f16c``, ``avx_ne_convert``) is not that.
"""

from functools import partial

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 60
INSTRUCTIONS = {
    "fp32": ("avx2", "avx512f", "asimd", "sve"),
    "bf16": ("avx512_bf16", "amx_bf16", "bf16", "svebf16"),
    "fp16": ("avx512_fp16", "amx_fp16", "asimdhp", "fphp"),
    "int8": ("avx_vnni", "avx512_vnni", "avx_vnni_int8", "amx_int8", "asimddp", "i8mm", "svei8mm"),
}
"""Flags of /proc/cpuinfo, on x86 and on Arm, any of which computes in that precision."""


def native(precision: str, host: Host) -> Verdict:
    """The instruction sets that do it."""
    found = [flag for flag in INSTRUCTIONS[precision] if flag in host.cpu_flags]
    if found:
        return Verdict("ok", f"native: {', '.join(found)}")
    if precision == "fp32":
        return Verdict("missing", "no vector instructions beyond the baseline (neither AVX2 nor ASIMD)")
    return Verdict("missing", f"not native: converted or emulated, so its times are not those of native {precision}")


CHECKS = tuple(Check(f"CPU {precision}", partial(native, precision)) for precision in INSTRUCTIONS)
