"""Change points of other tools, in an environment of their own: ``python others.py otava|pelt`` < series > places.

Standard input is a JSON list of series, in milliseconds; standard output a list of lists of indices.
"""

import json
import sys

import numpy as np


def otava(series: list[float]) -> list[int]:
    """apache-otava 0.8.0 at its defaults: windows of 50, p < .001, no least magnitude."""
    from otava.analysis import compute_change_points

    return [int(one.index) for one in compute_change_points(series)[0]]


def pelt(series: list[float]) -> list[int]:
    """PELT of ruptures 1.1 with squares, the scatter from neighbours, and the penalty of ``tailgate.stats``."""
    import ruptures

    logs = np.log(series)
    steps = np.diff(logs)
    scatter = 1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)
    found = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(logs / scatter).predict(pen=9.0 + 70.0 / len(logs))
    return [int(place) for place in found[:-1]]


if __name__ == "__main__":
    find = {"otava": otava, "pelt": pelt}[sys.argv[1]]
    json.dump([find(one) for one in json.load(sys.stdin)], sys.stdout)
