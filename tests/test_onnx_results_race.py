"""Two sessions that share ``--results`` lose nothing of each other's."""

import json
import multiprocessing
from pathlib import Path

from fixtures.onnx_files.own import Source
from fixtures.onnx_files.results import write
from fixtures.onnx_files.scan import Found

CELLS = 25


def session(folder: Path, who: str) -> None:
    source = Source("m", "m", found=Found("m", "m", folder / "m.onnx", "m.onnx"))
    for number in range(CELLS):
        write(folder, source, {"name": f"{who}-{number}", "status": "ok"})


def test_cells_of_sessions_at_once_are_all_kept(tmp_path: Path) -> None:
    started = [multiprocessing.get_context("spawn").Process(target=session, args=(tmp_path, who)) for who in "ab"]
    for one in started:
        one.start()
    for one in started:
        one.join()
    assert [one.exitcode for one in started] == [0, 0]
    assert len(json.loads((tmp_path / "m.json").read_text())["cells"]) == 2 * CELLS
