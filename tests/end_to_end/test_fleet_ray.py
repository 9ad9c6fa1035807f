"""``tailgate fleet`` on a real Ray cluster: two machines of one CPU each are two raylets, each bound to a CPU."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from foreign import CONFTEST
from patience import PATIENCE_S, until

pytest.importorskip("ray", reason="pip install 'tailgate[fleet]'")
from ray_machines import Machines, gone, machines
from scripted_fleet import held

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two machines need two CPUs"),
]
PAIR = "--nodes=pool=pair"
TWIN = {"pool": "twin", "kind": "plain"}
STOPPED_S = 10.0
"""The promise: so long after the driver's death no session runs any more."""
SHORT = (
    "--benchmark-max-time=0.001",
    "--benchmark-min-rounds=3",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:hypothesispytest",
)
TESTS = """
import json, os, pathlib, time
import pytest

ASKED = json.loads(pathlib.Path(__file__).with_name("asked.json").read_text())
LOG = pathlib.Path(ASKED["log"])
WAIT, INSIDE = LOG.with_suffix(".wait"), LOG.with_suffix(".inside")

def say(line):
    with LOG.open("a") as log:
        log.write(f"{line}\\n")

def wanted(name):
    return pytest.mark.skipif(name not in ASKED["what"], reason="not wanted")

@wanted("meet")
def test_meet(benchmark):
    # Returns once another machine is here too; alone, it would wait for ever.
    say(f"here on {os.sched_getaffinity(0)}")
    while len({line for line in LOG.read_text().splitlines() if line.startswith("here on")}) < 2:
        time.sleep(0.01)
    benchmark(lambda: None)

@wanted("alone")
def test_alone(benchmark):
    INSIDE.touch(exist_ok=False)  # fails where another session is inside
    time.sleep(0.5)
    INSIDE.unlink()
    benchmark(lambda: None)

@wanted("variables")
def test_variables(benchmark):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "LD_PRELOAD")
    found = {name: os.environ.get(name) for name in names}
    rays = [name for name in os.environ if name.startswith(("RAY_", "TAILGATE_"))]
    say("variables " + json.dumps([sorted(os.sched_getaffinity(0)), found, rays]))
    benchmark(lambda: None)

@wanted("counted")
@pytest.mark.parametrize("n", [1, 2, 3])
def test_counted(benchmark, n):
    say(f"counted {n}")
    if n == 2 and WAIT.exists():
        say("waiting")
        while WAIT.exists():
            time.sleep(0.05)
    benchmark(lambda: None)
"""


class Project:
    """A folder with these tests; what they wrote on any machine is in one file beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.log = folder / "said.log"
        self.log.touch()
        self.wait = folder / "said.wait"
        folder = self.folder
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "test_it.py").write_text(TESTS)
        (folder / "pytest.ini").write_text("[pytest]\ntailgate_baselines = baselines\n")

    def ask(self, *what: str) -> None:
        """Which of the tests are to run."""
        asked = {"log": str(self.log), "what": what}
        (self.folder / "asked.json").write_text(json.dumps(asked))

    @property
    def said(self) -> list[str]:
        return self.log.read_text().splitlines()

    @property
    def at_home(self) -> list[str]:
        """What the journals of unfinished runs have, whichever node's."""
        journals = (self.folder / ".pytest_cache/d/tailgate/fleet").rglob("*.jsonl")
        return [name for journal in journals for name in held(journal.read_bytes())]

    @property
    def saved(self) -> list[Path]:
        return sorted((self.folder / "baselines").glob("*/*.json"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Machines]:
    one, other, *_ = sorted(os.sched_getaffinity(0))
    with machines() as found:
        found.start("one", one, labels={"pool": "pair", "kind": "plain"})
        found.start("other", other, labels={"pool": "pair"}, MKL_NUM_THREADS="1")
        found.start("twin", other, labels=TWIN)  # Ray does not know that both have one CPU
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_two_machines_measure_at_once_and_each_has_its_own_baselines(cluster: Machines, project: Project) -> None:
    project.ask("meet", "variables")
    code, said = cluster.run(project.folder, PAIR, pytest=(*SHORT, "--benchmark-save=two"))
    assert code == 0, said
    assert len({file.parent for file in project.saved}) == 2
    assert {file.name for file in project.saved} == {"0001_two.json"}
    for file in project.saved:
        run = json.loads(file.read_text())
        assert len(run["benchmarks"]) == 2
        assert run["tailgate_run"]["complete"]
    found = [json.loads(line.removeprefix("variables ")) for line in project.said if line.startswith("variables")]
    assert sorted(len(cpus) for cpus, _, _ in found) == [1, 1]
    mkl = sorted(str(variables.pop("MKL_NUM_THREADS")) for _, variables, _ in found)
    assert mkl == ["1", "None"]  # what a user set before `ray start` is there
    for _, variables, rays in found:  # and nothing that Ray sets
        assert set(variables.values()) == {None}
        assert rays == []


def test_two_runs_at_once_on_one_machine_wait_for_each_other(cluster: Machines, tmp_path: Path) -> None:
    """Ray would give the machine to both: the other raylet on its CPU has promised nothing yet."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    projects = [Project(tmp_path / name) for name in ("a", "b")]
    for one in projects:
        one.log = projects[0].log
        one.ask("alone")
    at = ("run", f"--address={cluster.address}")
    commands = [
        cluster.command(one.folder, *at, f"--nodes=machine={name}", "--", *SHORT)
        for one, name in zip(projects, ("other", "twin"), strict=True)
    ]
    said = [command.communicate(timeout=PATIENCE_S)[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0], said
    assert sum(bool(re.search(r"waiting for the node: 'fleet' of .* has it", text)) for text in said) == 1


def test_a_machine_that_died_costs_what_it_had_not_finished(cluster: Machines, project: Project) -> None:
    project.ask("counted")
    project.wait.touch()
    at = ("run", f"--address={cluster.address}", "--nodes=pool=twin")
    command = cluster.command(project.folder, *at, "--", *SHORT)
    until(lambda: "waiting" in project.said, "the second benchmark")
    until(lambda: project.at_home, "the first one at home")
    cluster.kill("twin")
    said, _ = command.communicate(timeout=PATIENCE_S)
    assert command.returncode == 1, said
    assert "lost the node, or Ray's worker on it, is gone" in said
    assert gone(cluster, STOPPED_S) == []
    assert project.saved == []

    other = sorted(os.sched_getaffinity(0))[1]
    cluster.start("twin", other, labels=TWIN)
    project.wait.unlink()
    code, said = cluster.run(project.folder, "--nodes=pool=twin", "--resume", pytest=SHORT)
    assert code == 0, said
    assert [line for line in project.said if line.startswith("counted")] == [
        "counted 1", "counted 2", "counted 2", "counted 3",
    ]  # fmt: skip
    (saved,) = project.saved
    assert len(json.loads(saved.read_text())["benchmarks"]) == 3


def test_nodes_stop_when_the_driver_does(cluster: Machines, project: Project) -> None:
    """Killed first; the run that goes on from there is interrupted; the next one ends."""
    project.ask("counted")
    project.wait.touch()
    for number, options in ((signal.SIGKILL, ()), (signal.SIGINT, ("--resume",))):
        waited = project.said.count("waiting")
        at = ("run", f"--address={cluster.address}", PAIR, *options)
        command = cluster.command(project.folder, *at, "--", *SHORT)
        until(lambda seen=waited: project.said.count("waiting") == seen + 2, "the second benchmark on both machines")  # type: ignore[misc]
        until(lambda: len(project.at_home) == 2, "the first one of both at home")
        assert cluster.sessions()
        if number == signal.SIGINT:
            status = cluster.command(project.folder, "status", f"--address={cluster.address}")
            said, _ = status.communicate(timeout=PATIENCE_S)
            assert status.returncode == 0, said
            measured = re.findall(r"machine=(\w+).*'fleet' of .*, since ", said)
            assert sorted(measured) == ["one", "other", "twin"]  # the twin has the other's CPU
        command.send_signal(number)
        assert gone(cluster, STOPPED_S) == []
        said, _ = command.communicate(timeout=PATIENCE_S)
        assert command.returncode == (2 if number == signal.SIGINT else -number), said
    project.wait.unlink()
    code, said = cluster.run(project.folder, PAIR, "--resume", pytest=SHORT)
    assert code == 0, said
    assert project.said.count("counted 1") == 2  # once on each machine
    assert len(project.saved) == 2


def test_machines_that_are_alike_share_a_selection(cluster: Machines, project: Project) -> None:
    """One CPU each and one environment; whether they are equally fast, only the calibration kernel knows."""
    project.ask("counted", "variables")
    code, said = cluster.run(project.folder, "--nodes=kind=plain", "--shard=alike", pytest=SHORT)
    assert code == 0, said
    runs = [json.loads(file.read_text()) for file in project.saved]
    assert len({run["machine_info"]["fingerprint_id"] for run in runs}) == 1
    rows = [(row["name"], row["extra_info"]["fleet_node"]) for run in runs for row in run["benchmarks"]]
    names = ["test_counted[1]", "test_counted[2]", "test_counted[3]", "test_variables"]
    if "they are not pooled\n" in said:  # each measured all by itself
        assert sorted(name for name, _ in rows) == sorted(names * 2)
        return
    assert sorted(name for name, _ in rows) == names
    of = dict(rows)
    assert len(set(of.values())) == 2
    assert len({of[name] for name in names[:3]}) == 1  # they are compared with each other
    assert len(runs) == (2 if "saved apart" in said else 1)


def test_a_node_that_cannot_install_costs_itself_alone(cluster: Machines, project: Project) -> None:
    project.ask("counted")
    build = 'test -z "$MKL_NUM_THREADS" || { echo no room on the disk; exit 3; }'
    code, said = cluster.run(project.folder, PAIR, f"--build={build}", pytest=SHORT)
    assert code == 1, said
    assert "failed --build ended with exit code 3: no room on the disk" in said
    assert "Traceback" not in said
    assert len(project.saved) == 1
