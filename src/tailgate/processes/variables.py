"""What a process that Tailgate starts is told by its environment; removed from there before any test sees it."""

HOME = "TAILGATE_PROCESS_HOME"
"""By which file descriptor it is to answer."""
SPAWNED = "TAILGATE_PROCESS"
"""It runs one benchmark, and this is which."""
SIDE = "TAILGATE_DUET"
"""It is a side of a duet."""
