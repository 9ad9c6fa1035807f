"""``--duet``: two sides alive at once on one machine, called in turns, and a verdict on their difference.

- ``conflicts``: what a duet cannot be combined with;
- ``base``: what the other side is: a git ref, another Python, other options; ``worktree``: its checkout;
- ``launch``: how a side is started; ``side``: the pytest session inside it; ``turn_taking``: how ``benchmark`` waits
  there for its turns; ``side_process``: the parent's handle on a side;
- ``turns``: how many calls make a block, and whose turn it is; ``pinning``: on which CPU; ``matching``: which
  benchmarks of the two sides belong together;
- ``pairs``: one pair of fresh processes; ``outcome``: what came of a benchmark in it; ``ratios``: the number that a
  pair gives per metric; ``decision``: whether the pairs are enough;
- ``imported``: which files a side ran; ``side_files``: whose they are; ``same_code``: whether the sides ran different
  code; ``packages``: which installed packages differ;
- ``campaign``: pairs until every benchmark is decided; ``verdicts``: the verdicts on them;
- ``explain``: which operators a difference is made of, in pairs of its own; ``side_operators``: the hook's answer;
- ``plugin``: all of it as one pytest session; ``reporting``: the results as pytest's reports;
- ``saved``: the numbers in the saved run, and the verdicts from them again.

docs/regressions/duet.md is for users; docs/evidence/statistics.md has the evidence behind the design.
"""
