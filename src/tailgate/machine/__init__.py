"""The machine: its CPUs and GPU boards, its fingerprint, what disturbs a row, and ``tailgate doctor``."""
