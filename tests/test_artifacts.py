import ast
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fixtures
from fixtures.artifacts import MANIFEST, CacheWarning, artifact, cache_folder, check_cache, recipe
from tailgate.errors import TailgateError

FIXTURES = Path(fixtures.__file__).parent


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAILGATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    def __init__(self, text: str = "made") -> None:
        self.calls = 0
        self.text = text

    def __call__(self, folder: Path) -> dict[str, Any]:
        self.calls += 1
        (folder / "file.bin").write_text(self.text)
        return {"answer": 42}


def test_an_artifact_is_made_once_and_then_found() -> None:
    make = Maker()
    first, second = (artifact("thing", {"version": 1}, make) for _ in range(2))
    assert make.calls == 1
    assert first == second
    assert second.file("file.bin").read_text() == "made"
    assert second.facts == {"answer": 42}


def test_another_key_is_another_artifact() -> None:
    make = Maker()
    folders = {artifact("thing", {"version": version}, make).folder for version in (1, 2)}
    assert (make.calls, len(folders)) == (2, 2)


def _rewrite(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, **changes}))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "file.bin").write_text("mad"),
        lambda folder: (folder / "file.bin").write_text("MADE"),
        lambda folder: (folder / "file.bin").unlink(),
        lambda folder: (folder / MANIFEST).unlink(),
        lambda folder: (folder / MANIFEST).write_text('{"files": '),
        lambda folder: (folder / MANIFEST).write_text("[]"),
        lambda folder: (folder / MANIFEST).write_text('{"files": [], "facts": {}, "key": {}}'),
        lambda folder: _rewrite(folder, files={}),
        lambda folder: _rewrite(folder, facts={}),
        lambda folder: _rewrite(folder, key={"other": 1}),
        lambda folder: (shutil.rmtree(folder), folder.write_text("a file")),
    ],
    ids=[
        "truncated",
        "altered",
        "missing",
        "no manifest",
        "half a manifest",
        "another manifest",
        "odd manifest",
        "no files",
        "no facts",
        "another key",
        "a file in its place",
    ],
)
def test_a_broken_artifact_is_made_anew_with_a_warning(damage: Any) -> None:
    make = Maker()
    folder = artifact("thing", {}, make).folder
    damage(folder)
    os.utime(folder)  # a change within the clock's step must not hide behind the process's memory of hashes
    with pytest.warns(CacheWarning, match=r"is broken \(.+\); making it anew"):
        assert artifact("thing", {}, make).file("file.bin").read_text() == "made"
    assert make.calls == 2


def test_a_maker_that_fails_leaves_nothing_behind(cache: Path) -> None:
    def fail(folder: Path) -> dict[str, Any]:
        (folder / "half.bin").write_text("ha")
        raise RuntimeError("no space")

    with pytest.raises(RuntimeError, match="no space"):
        artifact("thing", {}, fail)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def _make_slowly(folder: Path) -> dict[str, Any]:
    import time

    time.sleep(0.3)
    (folder / "file.bin").write_text("made")
    return {"pid": os.getpid()}


def _pid_of_maker(_: int) -> int:
    return int(artifact("shared", {}, _make_slowly).facts["pid"])


def test_two_processes_that_start_at_once_make_it_once() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        makers = pool.map(_pid_of_maker, range(4), chunksize=1)
    assert len(set(makers)) == 1


def test_the_manifest_holds_the_key() -> None:
    folder = artifact("thing", {"opset": 20}, Maker()).folder
    assert json.loads((folder / MANIFEST).read_text())["key"] == {"opset": 20}


def test_an_unwritable_cache_is_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TAILGATE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(TailgateError, match="TAILGATE_CACHE=DIR"):
        check_cache()


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAILGATE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/tailgate")


def test_a_recipe_changes_with_the_code_it_names() -> None:
    assert recipe("artifacts") != recipe("options")
    assert recipe("artifacts") == recipe("artifacts")


def _named_by_recipes() -> Iterator[tuple[Path, str]]:
    for file in sorted(FIXTURES.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "recipe":
                yield from ((file, it.value) for it in node.args if isinstance(it, ast.Constant))


def test_every_file_that_a_recipe_names_is_there() -> None:
    """A name that a move of files left behind is else found only by the one cell that makes this artefact."""
    named = list(_named_by_recipes())
    assert len(named) >= 10
    assert [(str(file), name) for file, name in named if not (FIXTURES / f"{name}.py").is_file()] == []


def test_what_a_killed_process_was_making_is_swept_up(cache: Path) -> None:
    def killed() -> None:
        artifact("thing", {"version": 1}, lambda folder: os._exit(9))

    process = multiprocessing.get_context("fork").Process(target=killed)
    process.start()
    process.join()
    assert process.exitcode == 9
    assert len(list(cache.glob(".making-*"))) == 1
    artifact("thing", {"version": 1}, Maker())
    assert not list(cache.glob(".making-*"))
