"""Tailgate's instrument: how anything is measured and judged.

A pytest plug-in on top of pytest-benchmark. It knows nothing of models or frameworks;
the suite that does lives beside it in ``benchmarks/`` and ``fixtures/``.
"""

__version__ = "0.1.0"
