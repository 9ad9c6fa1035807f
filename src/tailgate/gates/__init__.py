"""Verdicts: is a benchmark slower than it was, how sure is that, and what to do.

Shared by both gates:

- ``limits``: how much worse is too much, from options and markers; ``scope``: what a session was to measure;
- ``verdict``: one judgement of one metric with all the numbers behind it, and its line; ``tables``: many of them;
- ``synthesized``: a failure without a test; ``reproduce``: the command that measures again.

Against saved sessions (the other gate is ``tailgate.gates.duet``):

- ``beginning``: whether there is a gate; ``saved``: its plug-in; ``summary``: its last lines;
- ``samples``, ``sessions``: what saved runs say, and which of them are history; ``machines``: are two the same;
- ``judgement``, ``objectives``: the verdicts; ``comparing``: the same for files alone.

The statistics are in ``tailgate.stats`` (``paired``, ``prediction``, ``gate``). docs/evidence/statistics.md has their
error rates.
"""
