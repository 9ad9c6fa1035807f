"""An NVIDIA board beside the timed rounds: power, energy, temperature, clocks, memory, and what slowed it.

- ``board``: what we ask of one; ``library``: the few calls of NVML that answer; ``calls``: one call and its errors;
- ``which``: the board of a benchmark's device;
- ``recorder``: readings of one board, one after the other; ``sampler``: the process that takes them;
  ``watcher``: the benchmark's hold on that process;
- ``energy``: joules from readings, and how sure; ``slowdowns``: the driver's bits in words; ``summary``: a row's
  fields.

docs/guide/gpu-telemetry.md has every field, its unit and source, and what was not seen on a GPU.
"""
