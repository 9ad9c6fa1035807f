"""The lock of a node: held for every CPU of it, by whoever inherited it, and by nobody once all have ended."""

import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.fleet.lock import UNKNOWN, NodeLock, holder_of

CPUS = st.sets(st.integers(0, 3), min_size=1)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@given(CPUS, CPUS)
@settings(max_examples=25, deadline=None)
def test_two_nodes_measure_at_once_exactly_where_they_share_no_cpu(one: set[int], other: set[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "locks"
        first, second = NodeLock(one, "first", folder), NodeLock(other, "second", folder)
        assert first.try_acquire() is None
        before = descriptors()
        said = second.try_acquire()
        assert (said is None) == one.isdisjoint(other)
        if said is not None:
            assert said == "first"
            assert descriptors() == before  # all or none
        second.release()
        first.release()
        assert holder_of(one | other, folder) is None


def test_a_lock_lives_as_long_as_a_process_that_inherited_it(tmp_path: Path) -> None:
    lock = NodeLock([0, 1], "a run", tmp_path / "locks")
    assert lock.try_acquire() is None
    with subprocess.Popen(["sleep", "60"], pass_fds=lock.descriptors) as child:
        lock.release()
        assert holder_of([1], tmp_path / "locks") == "a run"
        child.kill()
    assert holder_of([1], tmp_path / "locks") is None


def test_a_holder_is_told_anew_and_a_long_one_is_cut(tmp_path: Path) -> None:
    for holder in ("x" * 10_000, "short"):
        lock = NodeLock([0], holder, tmp_path / "locks")
        assert lock.try_acquire() is None
        assert holder_of([0], tmp_path / "locks") == holder[:200]
        lock.release()


def test_a_lock_file_that_cannot_be_written_locks_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()
    (folder / "cpu-0.lock").touch()
    (folder / "cpu-0.lock").chmod(0o444)
    lock = NodeLock([0], "a run", folder)
    assert lock.try_acquire() is None
    assert holder_of([0], folder) in {"a run", UNKNOWN}  # root may write it
    lock.release()
