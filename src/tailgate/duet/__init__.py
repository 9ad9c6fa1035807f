"""``--duet``: two sides alive at once on one machine, called in turns, and a verdict on their difference.

- ``base``: what the other side is: a git ref, another Python, other options; ``worktree``: its checkout;
- ``launch``: how a side is started; ``side``: what runs inside of it; ``partner``: the handle on it;
- ``turns``: how many calls make a block, and whose turn it is; ``matching``: which benchmark answers to which;
- ``pairs``: one pair of fresh processes, all benchmarks; ``decision``: is that enough, and what does it say;
- ``campaign``: pairs until every benchmark is decided; ``session``: all of it as one pytest session;
- ``saved``: the numbers in the saved run, and the verdicts from them again.

docs/duet.md is for users; GATE.md has the evidence behind the design.
"""
