"""What a session on a node sees of the environment: the user's, and nothing that Ray added."""

from pathlib import Path

from tailgate.fleet.variables import raylet_above, session_variables, variables_of

USERS = {"PATH": "/bin", "MKL_NUM_THREADS": "3"}
RAYS = {"OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": "0", "RAY_JOB_ID": "1"}
FOLDER = "/site/ray"


def test_what_ray_gives_its_worker_is_not_passed_on() -> None:
    assert session_variables({**USERS, **RAYS}, {**USERS, "RAY_X": "1"}, FOLDER) == USERS


def test_what_the_user_set_before_ray_start_is() -> None:
    users = {**USERS, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "1", "LD_PRELOAD": "/usr/lib/mine.so"}
    assert session_variables({**users, **RAYS}, users, FOLDER) == users


def test_the_raylets_allocator_and_a_git_hooks_variables_are_dropped() -> None:
    raylet = {**USERS, "LD_PRELOAD": f"{FOLDER}/libjemalloc.so", "MALLOC_CONF": "x", "GIT_INDEX_FILE": "y"}
    assert session_variables({}, raylet, FOLDER) == USERS


def test_without_a_raylet_to_ask_rays_own_names_are_dropped() -> None:
    found = session_variables({**USERS, "OMP_NUM_THREADS": "2", "RAY_JOB_ID": "1"}, None, FOLDER)
    assert found == USERS


def process(proc: Path, pid: int, name: str, parent: int, environment: bytes = b"") -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 1 1")
    (proc / str(pid) / "environ").write_bytes(environment)


def test_the_raylet_is_the_nearest_ancestor_of_that_name(tmp_path: Path) -> None:
    process(tmp_path, 5, "raylet", 1, b"A=1\0EMPTY=\0B=x=y\0")
    process(tmp_path, 7, "odd) name", 5)
    process(tmp_path, 9, "ray::worker", 7)
    assert raylet_above(tmp_path, 9) == 5
    assert variables_of(5, tmp_path) == {"A": "1", "EMPTY": "", "B": "x=y"}
    process(tmp_path, 11, "python", 1)
    assert raylet_above(tmp_path, 11) is None
    assert raylet_above(tmp_path, 12) is None
    assert variables_of(12, tmp_path) is variables_of(None) is None


def test_this_process_has_none() -> None:
    assert raylet_above() is None
