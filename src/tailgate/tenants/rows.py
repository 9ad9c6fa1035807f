"""The earlier place of :mod:`tailgate.processes.tenants.rows`."""

from tailgate.processes.tenants.rows import merged

__all__ = ["merged"]
