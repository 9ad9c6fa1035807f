"""The version of the fields that Tailgate adds to pytest-benchmark's JSON, and its history.

1  percentiles, P99 interval and throughput in ``stats``; ``machine_info.fingerprint`` and
   ``machine_info.fingerprint_id``; flat unit-suffixed ``extra_info``; ``tailgate_run``; ``unmeasured``.
2  in ``tailgate_run``: ``isolation``, ``start_method``, ``processes``, ``selected``, ``measured``, ``calibrations``;
   in ``extra_info``: whether to trust the row (docs/guide/trust.md), the calibration after it, ``process_*`` and
   ``tries``;
   ``unmeasured`` also with ``crashed``, ``timeout`` and ``oom``.
3  ``tailgate_gate``; in ``extra_info``: ``gate_verdict`` and ``gate_confirmation_median_s``
   (docs/regressions/saved-sessions.md).
4  in ``extra_info``: what the profiling meters give (docs/guide/meters.md), ``import_s``, ``rss_import_bytes``,
   ``compile_s``, ``startup_missing``, ``check_items``, ``model_bytes``, and studies 2 and 4; ``load_s`` is without
   ``compile_s``.
5  study 3: in ``extra_info`` of a GPU's row: device times (``gpu_time*``, ``device_clock``), transfers (``h2d_*``,
   ``d2h_*``, ``inclusive_*``), and what the ``nvml`` meter gives (docs/guide/gpu-telemetry.md); ``tenants``,
   ``tenant_cpus`` in ``tailgate_run``, the ``tenant_*`` and ``total_*`` fields (docs/guide/tenants.md); study 5:
   traffic, intensities and peaks (docs/suite/roofline.md), training (docs/suite/study5.md).
6  in ``tailgate_run``: ``complete``, ``incomplete_because``, ``interrupted``, ``selection``, and the names of
   benchmarks without a row: ``deselected``, ``failed``, ``skipped``, ``not_reached``, ``called_no_benchmark``,
   ``collectors_failed`` (docs/regressions/saved-sessions.md); ``p99_blocks_low`` and ``p99_blocks_high`` in ``stats``.
7  in ``tailgate_duet``: ``operators`` of each benchmark (docs/regressions/operators.md); in ``tailgate_run``:
   ``command_options``.
8  in ``extra_info`` of a row that a fleet measured: ``fleet_node`` (docs/guide/fleet.md).
"""

SCHEMA_VERSION = 8
