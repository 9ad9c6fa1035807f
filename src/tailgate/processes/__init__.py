"""A fresh process for each benchmark: ``--isolation=process``.

Who talks to whom, from the outside in:

- ``isolation``: the plug-in that runs benchmarks elsewhere and everything else as pytest does;
- ``attempt``: one benchmark, once, in one process: what came back, how it ended, within its time;
- ``retry``: which of two tries counts; ``pooling``: several as one row;
- ``start_method``: which way: ``forking``, from a fork server that has imported and never run anything; or
  ``spawning``, a new interpreter that collects anew, where forking is unsafe (``fork_safety``);
- ``supervisor``: what stands between, so that nothing is left running, whatever happens to the session;
- ``child``: the test body in that process; what it sends home;
- ``endings``: what an exit status means; ``messages``: how the two sides talk; ``pickling``: what they can say;
  ``replay``: as if it ran here; ``journal``: what is finished, on disk.
"""
