"""``--tenants N``: a benchmark runs as N copies at once, each in a process of its own, every round under full load.

- ``options``: what N tenants cannot be combined with; ``cpus``: which CPUs each tenant gets
  (``--tenant-cpus``), and the kernel's accounts for all of them together;
- ``tenant``: a tenant's part, in its process: it waits for the others, and keeps calling until all have finished;
- ``barrier``: how far each tenant is; ``runner``: starts N processes; ``attempt``: one benchmark in N of them;
  ``failures``: which tenant failed;
- ``overlap``: how long all of them worked at once, and how many items they processed in that time;
- ``group``: the processes that run one benchmark at once, tenants or servers;
- ``queue`` and ``server``: ``--servers N``, processes that serve one queue (docs/guide/load.md);
- ``rows``: their rows as one; ``summary``: the block at the end of a run.

docs/guide/tenants.md is for users.
"""
