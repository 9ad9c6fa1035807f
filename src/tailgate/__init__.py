"""Tailgate's instrument: how anything is measured and judged.

A pytest plug-in on top of pytest-benchmark. It knows nothing of models or frameworks;
the suite that does lives beside it in ``benchmarks/`` and ``fixtures/``.

A project imports the names below from here, and nothing from the packages inside. Each is imported when it is first
asked for: a process that only starts others must start quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tailgate.errors import NotMeasuredError as NotMeasuredError
    from tailgate.errors import TailgateError as TailgateError
    from tailgate.errors import as_usage_error as as_usage_error
    from tailgate.errors import nearest as nearest
    from tailgate.errors import one_line as one_line
    from tailgate.errors import unknown_value as unknown_value
    from tailgate.files import cache_folder as cache_folder
    from tailgate.files import replace_text as replace_text
    from tailgate.machine.cpus import affinity_cpus as affinity_cpus
    from tailgate.machine.cpus import usable_cpus as usable_cpus
    from tailgate.machine.doctor.gpus import Gpu as Gpu
    from tailgate.machine.doctor.gpus import ask as _gpus_of
    from tailgate.machine.doctor.host import Host as Host
    from tailgate.machine.fingerprint import cpu_flags as cpu_flags
    from tailgate.machine.out_of_memory import OUT_OF_MEMORY as OUT_OF_MEMORY
    from tailgate.machine.out_of_memory import is_out_of_memory as is_out_of_memory
    from tailgate.machine.out_of_memory import oom_kills as oom_kills
    from tailgate.machine.trust.own import own_cpu_s as own_cpu_s
    from tailgate.measure.clocks import DeviceClock as DeviceClock
    from tailgate.measure.fixture import mark_meters as mark_meters
    from tailgate.measure.fixture import use_device_clock as use_device_clock
    from tailgate.measure.pacing import is_paced as is_paced
    from tailgate.measure.profiling import profiling as _profiling_meter
    from tailgate.number import is_number as is_number
    from tailgate.option_values import integer as _whole_number
    from tailgate.options import OPTIONS as OPTIONS
    from tailgate.processes.endings import signal_name as signal_name
    from tailgate.results.precision_labels import arithmetic as arithmetic
    from tailgate.results.precision_labels import labelled as labelled
    from tailgate.results.precision_labels import narrow_weights as narrow_weights
    from tailgate.results.rows import add_warning as add_warning
    from tailgate.results.rows import row as _flat_row
    from tailgate.seams.benchmark_names import measured as _measured_rows
    from tailgate.session.protocol import PRESETS as PRESETS
    from tailgate.session.run import remark as remark
    from tailgate.session.settings import SETTINGS as SETTINGS
    from tailgate.session.settings import Settings as Settings
    from tailgate.stats.quantiles import percentile as percentile
    from tailgate.text import printable as printable

    flat_row = _flat_row
    gpus_of = _gpus_of
    measured_rows = _measured_rows
    profiling_meter = _profiling_meter
    whole_number = _whole_number

__version__ = "0.1.0"
_PUBLIC = {
    "add_warning": "tailgate.results.rows",
    "affinity_cpus": "tailgate.machine.cpus",
    "arithmetic": "tailgate.results.precision_labels",
    "as_usage_error": "tailgate.errors",
    "cache_folder": "tailgate.files",
    "cpu_flags": "tailgate.machine.fingerprint",
    "DeviceClock": "tailgate.measure.clocks",
    "flat_row": "tailgate.results.rows:row",
    "Gpu": "tailgate.machine.doctor.gpus",
    "gpus_of": "tailgate.machine.doctor.gpus:ask",
    "Host": "tailgate.machine.doctor.host",
    "is_number": "tailgate.number",
    "is_out_of_memory": "tailgate.machine.out_of_memory",
    "is_paced": "tailgate.measure.pacing",
    "labelled": "tailgate.results.precision_labels",
    "mark_meters": "tailgate.measure.fixture",
    "measured_rows": "tailgate.seams.benchmark_names:measured",
    "narrow_weights": "tailgate.results.precision_labels",
    "nearest": "tailgate.errors",
    "NotMeasuredError": "tailgate.errors",
    "one_line": "tailgate.errors",
    "oom_kills": "tailgate.machine.out_of_memory",
    "OPTIONS": "tailgate.options",
    "OUT_OF_MEMORY": "tailgate.machine.out_of_memory",
    "own_cpu_s": "tailgate.machine.trust.own",
    "percentile": "tailgate.stats.quantiles",
    "PRESETS": "tailgate.session.protocol",
    "printable": "tailgate.text",
    "profiling_meter": "tailgate.measure.profiling:profiling",
    "remark": "tailgate.session.run",
    "replace_text": "tailgate.files",
    "SETTINGS": "tailgate.session.settings",
    "Settings": "tailgate.session.settings",
    "signal_name": "tailgate.processes.endings",
    "TailgateError": "tailgate.errors",
    "unknown_value": "tailgate.errors",
    "usable_cpus": "tailgate.machine.cpus",
    "whole_number": "tailgate.option_values:integer",
    "use_device_clock": "tailgate.measure.fixture",
}
"""Where each name is; after a colon, what it is called there."""
__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 (text, all of it)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, there = _PUBLIC[name].partition(":")
    return getattr(import_module(module), there or name)
