"""Verdicts: is a benchmark slower than it was, how sure is that, and what to do.

- ``limits``: how much worse is too much, from options and markers;
- ``verdict``: one judgement of one metric with all the numbers behind it, and its line;
- ``tables``: many of them, for a terminal and in Markdown.

The statistics are in ``tailgate.analysis`` (``paired``, ``prediction``, ``gate``); docs/gate.md has their error rates.
"""
