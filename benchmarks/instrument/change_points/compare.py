"""Change points beside other tools, on the same simulated histories (docs/evidence/change-points.md).

``PYTHONPATH=src:tests/helpers python benchmarks/instrument/change_points/compare.py COUNT [seed=N] [nulls=N]
[otava=PYTHON] [pelt=PYTHON]``

COUNT is how many histories are drawn of each kind, ``nulls`` how many unchanged ones. The constants of
``tailgate.stats.change_points`` were chosen on the default seed, so another one judges them. Each PYTHON is the
interpreter of an environment that has the tool.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.special import chdtri
from simulator import Machine, Story, drifting, history, step

from tailgate.stats.change_points import segmented

Find = Callable[[Sequence[np.ndarray]], list[list[int]]]
SEED = 20261130
NEAR = 5
"""Sessions between a step and a point that counts as the step's."""
LOOKS = 20
"""Sessions after a step in which a delay is looked for."""
BEFORE = 30
"""Sessions before the step whose delay is looked for."""


def ours(series: Sequence[np.ndarray]) -> list[list[int]]:
    """Tailgate's."""
    found = [segmented(one.tolist()) for one in series]
    return [[change.index for change in one.changes] if one else [] for one in found]


def other(tool: str, python: str) -> Find:
    """That of another environment."""

    def find(series: Sequence[np.ndarray]) -> list[list[int]]:
        text = json.dumps([(np.exp(one) * 1e3).tolist() for one in series])
        command = [python, str(Path(__file__).with_name("others.py")), tool]
        told = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
        return [[int(place) for place in one] for one in json.loads(told)]

    return find


def false_points(find: Find, nulls: Sequence[np.ndarray]) -> str:
    """Points per 1,000 sessions, one look at the end of each history; with the exact interval of a Poisson rate."""
    points, sessions = sum(map(len, find(nulls))), sum(map(len, nulls))
    low = chdtri(2 * points, 0.975) / 2 if points else 0.0
    rates = (1000 * count / sessions for count in (points, low, chdtri(2 * points + 2, 0.025) / 2))
    return "{:.2f} [95 % CI {:.2f}, {:.2f}]".format(*rates) + f" false per 1,000 sessions ({points} of {sessions})"


def false_alarms(find: Find, nulls: Sequence[np.ndarray]) -> tuple[float, float]:
    """With a look after each session: places ever told per 1,000 sessions, and looks that told any, as a share."""
    looks = [(one[:end], number) for number, one in enumerate(nulls) for end in range(10, len(one) + 1)]
    told = find([series for series, _ in looks])
    places = {(number, place) for (_, number), points in zip(looks, told, strict=True) for place in points}
    return 1000 * len(places) / sum(map(len, nulls)), float(np.mean([bool(points) for points in told]))


def found_and_false(find: Find, noises: Sequence[np.ndarray], story: Story) -> tuple[float, float]:
    """The share of steps that have a point near them, and the points per history that are near none."""
    told = find([one + np.log1p(story.slower) for one in noises])
    near = [[any(abs(point - place) <= NEAR for point in points) for place in story.places] for points in told]
    false = [sum(all(abs(point - place) > NEAR for place in story.places) for point in points) for points in told]
    return float(np.mean(near)) if story.places else 0.0, float(np.mean(false))


def delays(find: Find, noises: Sequence[np.ndarray], change: float) -> tuple[list[int], float]:
    """Sessions of the new level until its step is told at every later look; the share told at the last look."""
    series = [one[: BEFORE + LOOKS] + np.log1p(step(BEFORE + LOOKS, (BEFORE, change)).slower) for one in noises]
    told = find([one[: BEFORE + look] for one in series for look in range(1, LOOKS + 1)])
    found = []
    for number in range(len(series)):
        looks = told[number * LOOKS : (number + 1) * LOOKS]
        seen = [any(abs(point - BEFORE) <= NEAR for point in points) for points in looks]
        missed = max((look for look, one in enumerate(seen, 1) if not one), default=0)
        found.append(missed + 1)
    return found, float(np.mean([one <= LOOKS for one in found]))


def main(count: int, nulls: int, seed: int, tools: dict[str, Find]) -> None:
    """Print the tables."""
    rng = np.random.default_rng(seed)
    machine = Machine()
    noises = [history(machine, rng, 100) for _ in range(max(count, nulls))]
    bad = [history(machine, rng, 100, bad_share=0.03) for _ in noises]
    for name, find in tools.items():
        start_s = time.monotonic()
        for sessions in (20, 50, 100):
            cut = [one[:sessions] for one in noises]
            cut_bad = [one[:sessions] for one in bad]
            print(
                f"{name}: {len(cut)} x {sessions} unchanged: {false_points(find, cut)}; "
                f"3 % of sessions bad: {false_points(find, cut_bad)}",
                flush=True,
            )
        ever, looks = false_alarms(find, noises[: count // 10])
        print(f"{name}: looked after every session: {ever:.2f} places per 1,000 sessions, in {looks:.2%} of looks")
        stories = {
            **{f"+{change:.0%} at 40 of 60": step(60, (40, change)) for change in (0.03, 0.05, 0.1)},
            "+5 % at 30, +5 % at 60 of 90": step(90, (30, 0.05), (60, 0.05)),
            "+5 % at 30, back at 60 of 90": step(90, (30, 0.05), (60, -0.05 / 1.05)),
            "drift of 5 % over 100": drifting(100, 0.05),
            "burst of 3 at +10 %, 40 of 60": step(60, bad=(40, 43, 0.1)),
            "burst of 5 at +10 %, 40 of 60": step(60, bad=(40, 45, 0.1)),
        }
        for what, story in stories.items():
            share, false = found_and_false(find, [one[: len(story.slower)] for one in noises[:count]], story)
            print(f"{name}: {what}: found {share:.1%}, other points {false:.3f} per history")
        for what, noise in (("", noises), (", 3 % of sessions bad", bad)):
            for change in (0.03, 0.05, 0.1):
                waited, share = delays(find, noise[: count // 4], change)
                middle, late = np.quantile(waited, [0.5, 0.9], method="higher")
                print(
                    f"{name}: +{change:.0%} after {BEFORE}{what}: told within {LOOKS} sessions {share:.1%}, "
                    f"after {middle} (median), {late} (90 %), {np.mean(np.minimum(waited, LOOKS + 1)):.2f} (mean)"
                )
        print(f"{name}: {time.monotonic() - start_s:.0f} s")


if __name__ == "__main__":
    others = dict(one.split("=", 1) for one in sys.argv[2:])
    seed = int(others.pop("seed", SEED))
    nulls = int(others.pop("nulls", sys.argv[1]))
    tools = {"tailgate": ours, **{tool: other(tool, python) for tool, python in others.items()}}
    main(int(sys.argv[1]), nulls, seed, tools)
