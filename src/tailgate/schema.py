"""The version of the fields that Tailgate adds to pytest-benchmark's JSON, and its history.

1  percentiles, P99 interval and throughput in ``stats``; ``machine_info.fingerprint`` and
   ``machine_info.fingerprint_id``; flat unit-suffixed ``extra_info``; ``tailgate_run``; ``unmeasured``.
"""

SCHEMA_VERSION = 1
