"""A node's side without Ray: a real pytest session from an archive, streamed, judged and stopped."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign import written
from histories import FOLDER, NAMES, TIMER, project, series
from scripted_fleet import held

from tailgate.fleet.checkout import packed
from tailgate.fleet.lock import NodeLock, holder_of
from tailgate.fleet.node import NodeOrder, NodeSession, Plan
from tailgate.fleet.node_process import Event

QUICK = ("--isolation=process", "--benchmark-max-time=0.001", "--benchmark-min-rounds=3", "-p", "no:cacheprovider")
OTHERS_OFF = ("-p", "no:hypothesispytest", "-p", "no:anyio")
WAITS = """
import time

def test_waits(benchmark):
    while True:
        time.sleep(0.01)
"""


class Node:
    """A session on a node of its own, and what came of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, **order: Any) -> None:
        temporary = folder.parent / "node"
        temporary.mkdir(exist_ok=True)
        monkeypatch.setattr("tempfile.tempdir", str(temporary))
        self.temporary = temporary
        self.locks = temporary / "locks"
        self._checkout = packed(folder, folder / "baselines")
        told = {"python": None, "build": None, "holder": "the test", **order}
        self.session = NodeSession(
            NodeOrder(cwd=".", arguments=(*QUICK, *OTHERS_OFF, *arguments), **told), os.environ, None, self.locks
        )

    def prepare(self) -> list[Event]:
        return list(self.session.prepare(self._checkout.archive))

    def measure(self, plan: Plan = Plan()) -> Iterator[Event]:  # noqa: B008 (it is frozen)
        for kind, value in self.session.measure(plan):
            yield from value if kind == "news" else [(kind, value)]

    @property
    def left(self) -> list[str]:
        return [str(path) for path in self.temporary.rglob("*") if path.is_file() and path.parent != self.locks]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.mark.end_to_end
def test_a_session_is_streamed_judged_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series(project(folder), "old")
    node = Node(folder, monkeypatch, *TIMER, "--factor=1.2")
    *_, (kind, facts) = node.prepare()
    assert kind == "collected"
    assert [name for name, _ in facts["benchmarks"]] == list(NAMES)
    assert holder_of(os.sched_getaffinity(0), node.locks) == "the test"
    saved = {f"{FOLDER}/{file.name}": file.read_bytes() for file in (folder / "baselines" / FOLDER).iterdir()}
    events = list(node.measure(Plan(("--benchmark-compare=old", "--gate"), b"", saved)))
    kind, (code, run, _, log) = events[-1]
    assert (kind, code) == ("ended", 1), log.decode()
    verdicts = {one["fullname"]: one["verdict"] for one in json.loads(run)["tailgate_gate"]["verdicts"]}
    assert verdicts == {NAMES[0]: "fail", NAMES[1]: "pass"}
    assert held(b"".join(value for kind, value in events if kind == "journal")) == list(NAMES)
    assert [value[:2] for kind, value in events if kind == "ends"] == [[name, "ok"] for name in NAMES]
    assert node.left == []
    assert holder_of(os.sched_getaffinity(0), node.locks) is None


@pytest.mark.end_to_end
def test_a_share_is_measured_and_what_is_finished_is_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(folder)
    first = Node(folder, monkeypatch, *TIMER)
    first.prepare()
    events = list(first.measure(Plan(share=NAMES[:1])))
    journal = b"".join(value for kind, value in events if kind == "journal")
    assert held(journal) == list(NAMES[:1])
    run = json.loads(events[-1][1][1])
    assert run["tailgate_run"]["deselected"] == [NAMES[1]]

    again = Node(folder, monkeypatch, *TIMER)
    again.prepare()
    events = list(again.measure(Plan(journal=journal)))
    assert held(b"".join(value for kind, value in events if kind == "journal")) == list(NAMES[1:])
    assert len(json.loads(events[-1][1][1])["benchmarks"]) == 2


@pytest.mark.parametrize(
    ("arguments", "order", "code", "told"),
    [
        (
            (),
            {"python": "/no/such/python"},
            1,
            "no interpreter '/no/such/python' on this node; name another with --python",
        ),
        ((), {"python": "/bin/false"}, 1, "/bin/false cannot run it (it said nothing); install Tailgate there"),
        ((), {"build": "echo no disk >&2; exit 3"}, 1, "--build ended with exit code 3: no disk"),
        (("--protocol=quik",), {}, 4, "did you mean 'quick'"),
        (("--no-such-option",), {}, 4, "unrecognized arguments: --no-such-option"),
        (("test_project.py", "-k", "nothing"), {}, 5, "no benchmark is selected"),
        (("test_broken.py",), {}, 1, "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_a_node_that_cannot_measure_says_why_in_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    order: dict[str, str],
    code: int,
    told: str,
) -> None:
    written(folder, "def test_it(benchmark): benchmark(int)\n", test_broken="import no_such_module\n")
    node = Node(folder, monkeypatch, *(arguments or ("test_project.py",)), **order)
    kind, (reason, ended) = node.prepare()[-1]
    assert (kind, ended) == ("failed", code), reason
    assert told in reason
    assert "\n" not in reason
    assert node.left == []
    assert holder_of(os.sched_getaffinity(0), node.locks) is None


def test_a_build_changes_the_checkout_before_the_tests(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder, "from built import name\n\ndef test_it(benchmark): benchmark(int)\n")
    node = Node(folder, monkeypatch, build="echo name = 1 > built.py")
    assert node.prepare()[-1][0] == "collected"
    node.session.close()
    assert not (folder / "built.py").exists()
    assert node.left == []


@pytest.mark.end_to_end
def test_a_session_that_is_stopped_ends_as_by_ctrl_c(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder, WAITS)
    node = Node(folder, monkeypatch)
    assert node.prepare()[-1][0] == "collected"
    events = []
    for event in node.measure():
        events.append(event)
        if event[0] == "begins":
            node.session.stop()
    assert events[-1][0] == "ended"
    assert events[-1][1][0] == 2
    assert node.left == []


def test_a_node_waits_for_its_lock_and_can_be_stopped_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder, WAITS)
    node = Node(folder, monkeypatch)
    lock = NodeLock(os.sched_getaffinity(0), "somebody", node.locks)
    assert lock.try_acquire() is None
    timer = threading.Timer(0.1, node.session.stop)
    timer.start()
    assert node.prepare() == [("waiting", "somebody"), ("failed", ["interrupted", 2])]
    timer.join()
    lock.release()
