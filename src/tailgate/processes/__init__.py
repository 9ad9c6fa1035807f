"""A fresh process for each benchmark: ``--isolation=process``.

Who talks to whom, from the outside in:

- ``isolation``: the plug-in that runs benchmarks in processes, and everything else as pytest does;
- ``attempt``: one benchmark, once, in one process: what came back, how it ended, whether in time; ``pooling``: several
  processes as one row, and which of two tries counts; ``profiles``: the runs of profiling meters;
- ``start_method``: fork or spawn; ``forking``: processes forked from a fork server, which has imported the tests and
  run none (``fork_server``); ``spawning``: a new interpreter that collects again, where ``fork_safety`` forbids a
  fork;
- ``supervisor``: the process between session and benchmark, so that nothing is left running, whatever happens to the
  session; ``handle``: the session's handle on it; ``runner``: who starts it for a benchmark, and listens;
- ``child``: the test body in the benchmark's process, and what it sends back; ``finalizers``: what Python does
  at its end;
- ``endings``: what an exit status means; ``messages``: how the two sides talk; ``variables``: what a started process is
  told; ``pickling``: what a message can hold;
  ``replay``: the results reported as if the test had run in the session; ``journal``: finished benchmarks on disk;
  ``tenants``: several processes of one benchmark at once.
"""
