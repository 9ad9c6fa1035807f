"""``tailgate bisect``: git's own bisect, with a duet at each step.

- ``program``: the pytest command that is measured; ``commits``: what git knows of the two ends;
- ``git_bisect``: which commit is next, as git decides it;
- ``duets``: one commit against another, in a checkout of its own; ``inside``: the plug-in in that session;
- ``environments``: the installed packages that a commit asks for;
- ``words``: from verdicts to git's good, bad and skip; ``search``: from the first duet to the answer;
- ``journal``: every duet on disk, so that an interrupted bisect goes on;
- ``report``: the lines that a user reads.

docs/regressions/bisect.md is for users.
"""
