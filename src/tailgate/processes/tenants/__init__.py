"""``--tenants N``: a benchmark runs as N copies at once, each in a process of its own, every round under full load.

- ``options``: what N tenants cannot be combined with; ``shares``: which CPUs each gets (``--tenant-cpus``);
- ``member``: a tenant's part, in its process: it meets the others, and goes on calling until all are done;
- ``barrier``: how far each is; ``crowd``: N ways to start processes; ``attempt``: one benchmark in N of them, and what
  becomes of it when one fails;
- ``window``: how long all of them were at work, and what they did in that time;
- ``rows``: their rows as one; ``summary``: the block at the end of a run.

docs/guide/tenants.md is for users.
"""
