"""A saved run with rows of every study, broken in one place, and every command that reads one.

Run as a script, in a process of its own: ``compare`` loads pytest's plug-ins anew, and the conftest.py that is there.
"""

import io
import json
import random
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import test_accuracy as accuracies
import test_framework_comparison_report as frameworks
import test_roofline_report as roofs
import test_training_report as trainings
from histories import MACHINE, NAMES, bench
from profiles import run as profiled
from saved_duets import a_run
from synthetic_gpus import cpu_row, gpu_row
from test_csv_and_reports import cell

from tailgate.commands import main as cli
from tailgate.commands.formats import BROKEN, formats
from tailgate.errors import TailgateError
from tailgate.gates.limits import session_limits
from tailgate.gates.saved.judgement import judged
from tailgate.gates.saved.samples import of_stats
from tailgate.gates.saved.sessions import history_of
from tailgate.results.saved_run import load_run

TEXTS = {  # of JSON, each in the place of some value of a sound run
    "huge": "1" + "0" * 400, "longer than Python reads": "1" + "0" * 5000, "huge negative": "-1" + "0" * 400,
    "large": "1e308", "beyond floats": "1e400", "small": "1e-320", "infinity": "Infinity", "nan": "NaN",
    "negative": "-1", "zero": "0", "fraction": "0.5", "true": "true", "null": "null", "text": '"text"', "empty": '""',
    "number as text": '"8"', "half a character": '"\\ud800"', "list": "[]", "list of null": "[null]", "object": "{}",
    "list of text": '["a", "b"]', "pair": "[1, 2]", "object in object": '{"a": {"b": 1}}',
    "deep": "[" * 90 + "]" * 90, "too deep": '{"a":' * 400 + "1" + "}" * 400,
    "very deep": "[" * 100_000 + "]" * 100_000,
}  # fmt: skip
PLACE = "place of the broken value"
LIMITS = session_limits("2%", "median,p99,throughput")


def whole_run() -> dict[str, Any]:
    """Rows of every study, as saved runs have them."""
    rows = [
        *(cell(0.1, threads=threads, batch=batch) for threads in (1, 2) for batch in (1, 4)),
        *frameworks.fair_run()["benchmarks"], frameworks.as_published("jax"),
        trainings.bench("resnet18"), trainings.bench("squeezenet1_1", 64, "A+B"),
        *roofs.peaks(), roofs.cell("under", 60),
        *profiled()["benchmarks"][:4],
        gpu_row("T4"), gpu_row("T4", precision="fp16"), cpu_row(),
        *accuracies.run(accuracies.cell("fp32"), accuracies.cell("int8", 0.4e-3))["benchmarks"],
        *(bench(name, 1e-3, batch_size=1, items_per_call=1) for name in NAMES),
    ]  # fmt: skip
    plain = {"min": 1e-3, "max": 1e-3, "mean": 1e-3, "stddev": 0.0, "median": 1e-3, "rounds": 5, "iterations": 1}
    plain |= {"iqr": 0.0, "q1": 1e-3, "q3": 1e-3, "ops": 1e3, "total": 1.0, "outliers": "0;0"}
    rows = [{"group": None, "param": None, "params": None, "options": {}, **row} for row in rows]
    for row in rows:
        row["stats"] = {**plain, **row["stats"]}
    gate = {"failed": False, "verdicts": [{"fullname": NAMES[0], "metric": "median", "verdict": "pass", "notes": []}]}
    return {
        **a_run(0.0),
        "benchmarks": rows,
        "machine_info": {"fingerprint": MACHINE, "fingerprint_id": "0123456789ab", "machine_facts": {"os": "Linux"}},
        "commit_info": {"id": "0" * 40, "dirty": False},
        "datetime": "2026-11-20T10:00:00+00:00",
        "tailgate_run": {"isolation": "none", "calibrations": [{"after": None, "compute_s": 1e-3, "memory_s": 1e-3}]},
        "tailgate_gate": gate,
        "unmeasured": [{"fullname": "t.py::test_gone", "status": "oom", "reason": "oom: 2 GB"}],
    }


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every value, but of lists of samples only the first."""
    if before:
        yield before
    if isinstance(value, dict):
        for key, one in value.items():
            yield from paths(one, (*before, key))
    elif isinstance(value, list):
        few = value[:1] if value and isinstance(value[0], float) else value
        for index, one in enumerate(few):
            yield from paths(one, (*before, index))


WHOLE = json.dumps(whole_run())
PATHS = sorted(paths(json.loads(WHOLE)), key=str)


def broken(path: tuple[Any, ...], text: str | None) -> str:
    """The run with another value in one place, or without it."""
    run = json.loads(WHOLE)
    *way, last = path
    place = run
    for key in way:
        place = place[key]
    if text is None:
        del place[last]
        return json.dumps(run)
    place[last] = PLACE
    return json.dumps(run).replace(f'"{PLACE}"', text)


def ends_by_itself(folder: Path, text: str) -> None:
    """Every command that reads a run, and the gate's history."""
    file = folder / "0001_broken.json"
    file.write_text(text)
    sound = folder / "0002_sound.json"
    sound.write_text(WHOLE)
    commands = [["report", str(file), f"--format={name}"] for name in formats(Path(__file__).parents[2])]
    commands += [["compare", str(file), str(sound), "--fail-on-regression", "--columns=min,p99,throughput,ops,iqr"]]
    commands += [["compare", str(sound), str(file)], ["duet", str(file)]]
    commands += [["baselines", "accept", str(file), "--as=x", f"--storage={folder / 'b'}"]]
    for command in commands:
        said, complained = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(complained):
            code = cli.main(command)
        errors = [line for line in complained.getvalue().splitlines() if "rror" in line]
        assert code in (0, 1, 4), command
        assert "Traceback" not in complained.getvalue()
        assert BROKEN not in complained.getvalue()
        if code == 4:
            assert len(errors) == 1
            assert len(errors[0]) < 1000
    try:
        history = history_of([file, sound], MACHINE, "none")
        now = load_run(sound)["benchmarks"][-1]
        judged([of_stats(now["fullname"], now["stats"], now["extra_info"])], history, LIMITS)
    except TailgateError as error:
        refused = str(error)
        assert "\n" not in refused


def main(seed: int, count: int) -> None:
    """A sound run, and ``count`` broken ones; in the current directory."""
    ends_by_itself(Path(), WHOLE)
    generator = random.Random(seed)
    for _ in range(count):
        path, name = generator.choice(PATHS), generator.choice([None, *TEXTS])
        print(path, name)
        ends_by_itself(Path(), broken(path, None if name is None else TEXTS[name]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
