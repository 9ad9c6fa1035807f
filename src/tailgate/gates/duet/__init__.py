"""``--duet``: two sides alive at once on one machine, called in turns, and a verdict on their difference.

- ``base``: what the other side is: a git ref, another Python, other options; ``worktree``: its checkout;
- ``launch``: how a side is started; ``side``: what runs inside of it; ``word``: how ``benchmark`` waits there for its
  turns; ``prepared``: a call with a set-up of its own; ``partner``: the parent's handle on a side;
- ``turns``: how many calls make a block, and whose turn it is; ``pinning``: on which CPU; ``matching``: which benchmark
  answers to which;
- ``pairs``: one pair of fresh processes; ``ratios``: what it says of a metric; ``decision``: are that enough pairs;
- ``imported``: which files a side ran; ``side_files``: whose they are; ``same_code``: whether that was two codes;
- ``campaign``: pairs until every benchmark is decided; ``verdicts``: what they come to;
- ``session``: all of it as one pytest session; ``reporting``: what pytest is told;
- ``saved``: the numbers in the saved run, and the verdicts from them again.

docs/duet.md is for users; GATE.md has the evidence behind the design.
"""
