"""Verdicts: is a benchmark slower than it was, how sure is that, and what to do.

Two gates: ``saved`` judges against saved sessions, ``duet`` against another side that runs now (and ``bisection`` asks
duets which commit it was). Both share

- ``limits``: how much worse is too much, from options and markers;
- ``scope``: what a session was asked to measure; ``missing``: a failure for a benchmark that has no test any more.

``tailgate.results.verdict`` has the verdict itself and its line. The statistics are in ``tailgate.stats`` (``paired``,
``prediction``, ``decision``); docs/evidence/statistics.md has their error rates.
"""
