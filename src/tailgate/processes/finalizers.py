"""What Python does at its end, for a process that ends without it: only what that process itself has set up.

A forked process inherits the session's exit functions, temporary folders and worker processes, which are not
its to end; what its test has made would stay behind for good.
"""

import atexit
import contextlib
import os
import sys
import threading
import weakref
from typing import Any

LIMIT_S = 5.0
"""A finalizer that takes longer is left, with all that come after it."""


class Finalizers:
    """Make it before the test begins, run it when the test has ended."""

    def __init__(self, *, inherited: bool) -> None:
        self._inherited = set(_registry()) if inherited else set()
        if not inherited:
            return
        atexit._clear()  # the session's
        util: Any = sys.modules.get("multiprocessing.util")
        process: Any = sys.modules.get("multiprocessing.process")
        if util is not None and process is not None:  # as multiprocessing does in a process it has forked
            util._finalizer_registry.clear()
            process._children = set()

    def run(self) -> None:
        """Exit functions, workers of ``multiprocessing``, ``weakref.finalize`` (so ``TemporaryDirectory``)."""
        util: Any = sys.modules.get("multiprocessing.util")
        process: Any = sys.modules.get("multiprocessing.process")
        finalizers = [one for one in _registry() if one not in self._inherited and one.atexit]
        workers = util is not None and (util._finalizer_registry or process._children)
        if not (finalizers or workers or atexit._ncallbacks()):
            return
        watch = threading.Timer(LIMIT_S, os._exit, [0])
        watch.daemon = True
        watch.start()
        atexit._run_exitfuncs()
        if util is not None:
            with contextlib.suppress(Exception):  # there is nobody left to tell
                util._exit_function()
        for finalizer in [one for one in _registry() if one not in self._inherited and one.atexit]:
            with contextlib.suppress(Exception):
                finalizer()


def _registry() -> list[Any]:
    """All living ``weakref.finalize`` objects."""
    return list(getattr(weakref.finalize, "_registry", ()))
