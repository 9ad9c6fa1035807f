"""The earlier place of :mod:`tailgate.processes.tenants`."""
