"""One chosen node: locks it, unpacks the checkout, and runs one pytest session there with the node to itself.

Plain Python in the process of a Ray actor; it imports no Ray. Each method with work to do is a generator of events,
which are streamed home: pairs of a kind and a value of plain types. The session is the child of a supervisor
(``processes/supervisor.py``), which ends it and all it started as soon as this process is gone.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tailgate import __version__
from tailgate.errors import one_line
from tailgate.fleet.checkout import unpack
from tailgate.fleet.lock import FOLDER as LOCKS
from tailgate.fleet.lock import NodeLock
from tailgate.fleet.node_plugin import Task, events_in
from tailgate.fleet.node_process import LOOK_S, Event, News, NodeFailedError, last_line, run
from tailgate.fleet.priority import take_after
from tailgate.processes.supervisor import Order
from tailgate.text import printable

ASK_S = 120.0
MOST_LOG_BYTES = 1_000_000
"""The end of a session's output that comes home."""
INTERRUPTED, NOTHING_SELECTED = 2, 5
CHECK = "import pytest, tailgate; print(tailgate.__version__)"


@dataclass(frozen=True)
class NodeOrder:
    """What every node is told at first."""

    holder: str
    """What others that wait for the node are told."""
    python: str | None
    """The interpreter, found on the node; ``None``: the one that Ray's worker runs on."""
    build: str | None
    cwd: str
    """Relative to the top of the checkout."""
    arguments: tuple[str, ...]
    calibrate: bool = False


@dataclass(frozen=True)
class Plan:
    """What a node is told when it has said what it has to measure, and on what machine."""

    arguments: tuple[str, ...] = ()
    """Beside those of the order."""
    journal: bytes = b""
    """What is finished already."""
    baselines: Mapping[str, bytes] = field(default_factory=dict)
    """Its machine's saved runs, by ``FOLDER/FILE``."""
    share: tuple[str, ...] | None = None


class NodeSession:
    """The node's side of a fleet run."""

    def __init__(
        self, order: NodeOrder, variables: Mapping[str, str], raylet: int | None = None, locks: Path = LOCKS
    ) -> None:
        """``variables``: the whole environment of the session; ``raylet``: the process whose priority it is to have."""
        cpus = os.sched_getaffinity(0)
        self._order = order
        self._variables = dict(variables)
        self._lock = NodeLock(cpus, order.holder, locks)
        # One place for each lock: what a killed run has left there is removed by the next one, and by no other.
        self._folder = Path(tempfile.gettempdir()) / f"tailgate-fleet-{os.getuid()}" / f"from-cpu-{min(cpus)}"
        self._raylet = raylet
        self._python = ""
        self._stopping = threading.Event()

    def prepare(self, archive: bytes) -> Iterator[Event]:
        """Wait for the node, unpack, build, and collect the tests: ends with ``collected`` or ``failed``."""
        try:
            yield from self._locked()
            if (lacks := take_after(self._raylet)) is not None:
                yield "remark", lacks
            yield "doing", "unpacking"
            self._place(archive)
            self._python = self._found()
            if self._order.build is not None:
                yield "doing", "building"
                code = yield from self._run(["/bin/sh", "-c", self._order.build], {})
                if code != 0:
                    raise NodeFailedError(f"--build ended with exit code {code}: {self._last_line()}")
            yield "doing", "collecting"
            task = Task(str(self._folder / "collected.jsonl"), None, self._order.calibrate)
            command = [self._python, "-m", "pytest", *self._order.arguments, "--collect-only", "-q"]
            code = yield from self._run(command, task.as_variable())
            found = [value for kind, value in self._said(task) if kind == "collected"]
            right = bool(found) and found[0].get("tailgate") == __version__
            if not right and not self._stopping.is_set():
                self._check_interpreter()  # only now: it starts once more, which takes a second
            if code not in (0, NOTHING_SELECTED) or not found:
                broken = code in (0, INTERRUPTED) and not self._stopping.is_set()  # 2: a file cannot be imported
                raise NodeFailedError(self._last_line(), 1 if broken else code)
            if not found[0]["benchmarks"]:
                raise NodeFailedError("no benchmark is selected", NOTHING_SELECTED)
            yield "collected", found[0]
        except (NodeFailedError, OSError, tarfile.TarError, subprocess.SubprocessError) as error:
            self.close()
            yield "failed", [one_line(error), getattr(error, "code", 1)]

    def measure(self, plan: Plan) -> Iterator[Event]:
        """Run the session: streams ``news`` (the ``journal``, what ``begins`` and ``ends``), and last ``ended``."""
        last: Event
        journal, saved = self._folder / "journal.jsonl", self._folder / "run.json"
        task = Task(str(self._folder / "events.jsonl"), plan.share)
        news = News({"journal": journal, "events": Path(task.events)}, {"journal": len(plan.journal)})
        take_after(self._raylet)  # prepare() may have run in another thread
        try:
            journal.write_bytes(plan.journal)
            for name, content in plan.baselines.items():
                file = self._folder / "baselines" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            arguments = [
                *self._order.arguments, *plan.arguments, f"--journal={journal}", f"--benchmark-json={saved}",
                f"--benchmark-storage=file://{self._folder / 'baselines'}", *(["--resume"] if plan.journal else []),
            ]  # fmt: skip
            command = [self._python, "-m", "pytest", *arguments]
            code = yield from self._run(command, task.as_variable(), news)
            content = saved.read_bytes() if saved.exists() else b""
            last = "ended", [code, content or None, self._last_line(), self._log()]
        except (NodeFailedError, OSError, subprocess.SubprocessError) as error:
            last = "failed", [one_line(error), getattr(error, "code", 1)]
        finally:
            rest = news.read()
            self.close()
        yield "news", rest
        yield last

    def stop(self) -> None:
        """Interrupt what runs, as Ctrl-C does; called from another thread."""
        self._stopping.set()

    def close(self) -> None:
        """Leave nothing on the node, and let others have it."""
        if self._lock.descriptors:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()

    @property
    def _output(self) -> Path:
        return self._folder / "output.txt"

    @property
    def _cwd(self) -> Path:
        return self._folder / "checkout" / self._order.cwd

    def _locked(self) -> Iterator[Event]:
        said = None
        while (holder := self._lock.try_acquire()) is not None:
            if holder != said:
                yield "waiting", printable(holder)
                said = holder
            if self._stopping.wait(LOOK_S):
                raise NodeFailedError("interrupted", INTERRUPTED)

    def _place(self, archive: bytes) -> None:
        """An empty folder that is ours, and the checkout in it."""
        above = self._folder.parent
        above.mkdir(mode=0o700, exist_ok=True)
        if above.is_symlink() or above.stat().st_uid != os.getuid():
            raise NodeFailedError(f"{above} is somebody else's; remove it, or set another TMPDIR there")
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "checkout").mkdir(parents=True)
        (self._folder / "baselines").mkdir()
        unpack(archive, self._folder / "checkout")
        if not self._cwd.is_dir():
            raise NodeFailedError(f"the checkout has no folder {self._order.cwd}")

    def _found(self) -> str:
        """The interpreter's path."""
        name = self._order.python or sys.executable
        found = shutil.which(name, path=self._variables.get("PATH"))
        if found is None:
            raise NodeFailedError(f"no interpreter {name!r} on this node; name another with --python")
        return found

    def _check_interpreter(self) -> None:
        """Whether it has this Tailgate."""
        asked = subprocess.run(
            [self._python, "-c", CHECK], cwd=self._cwd, env=self._variables, capture_output=True, text=True,
            timeout=ASK_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if asked.returncode != 0:
            raise NodeFailedError(f"{self._python} cannot run it ({last_line(asked.stderr)}); install Tailgate there")
        if asked.stdout.strip() != __version__:
            raise NodeFailedError(
                f"{self._python} has Tailgate {asked.stdout.strip()!r}, and Ray's Python {__version__!r}"
            )

    def _run(
        self, command: Sequence[str], added: Mapping[str, str], news: News | None = None
    ) -> Generator[Event, None, int]:
        if self._stopping.is_set():
            raise NodeFailedError("interrupted", INTERRUPTED)
        order = Order(list(command), str(self._cwd), {}, (), ())
        # The supervisor has the lock too: should this process be killed, the node is ours until all has ended.
        held = self._lock.descriptors
        return (yield from run(order, {**self._variables, **added}, self._output, held, self._stopping, news))

    def _said(self, task: Task) -> list[Sequence[Any]]:
        with contextlib.suppress(FileNotFoundError):
            return events_in(Path(task.events).read_bytes())[0]
        return []

    def _log(self) -> bytes:
        with contextlib.suppress(FileNotFoundError):
            return self._output.read_bytes()[-MOST_LOG_BYTES:]
        return b""

    def _last_line(self) -> str:
        return last_line(self._log().decode("utf8", "replace"))
