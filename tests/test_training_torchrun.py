"""Several workers, really started by torchrun (gloo, two ranks with one thread each), and how they scaled."""

import argparse
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.training.distributed import main, parsed, row_of, shares
from fixtures.training.torchrun import MODULE, ROOT, outcome, scaled
from tailgate.errors import NotMeasuredError

SMALL = ("--model=squeezenet1_1", "--batch-size=4", "--train-batches=2", "--warmup-batches=1", "--loader-workers=0")


def options(**other: Any) -> argparse.Namespace:
    found = parsed([])
    vars(found).update(other)
    return found


def test_two_workers_scale_against_one() -> None:
    row = scaled(2, *SMALL, "--baseline-1", "--threads=1")
    assert (row["world_size"], row["backend"], row["global_batch_size"]) == (2, "gloo", 8)
    assert [one["rank"] for one in row["ranks"]] == [0, 1]
    assert row["images"] == sum(one["images"] for one in row["ranks"]) == 16
    assert row["images_per_s"] * row["train_wall_s"] == pytest.approx(16)
    assert row["train_wall_s"] == max(one["train_wall_s"] for one in row["ranks"])
    assert row["scaling_efficiency"] == pytest.approx(row["images_per_s"] / (2 * row["baseline_1"]["images_per_s"]))
    # Each has images of its own.
    assert row["ranks"][0]["loss_first"] != row["ranks"][1]["loss_first"]


def test_a_worker_that_diverges_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    of_torchrun = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}
    for name, value in {**of_torchrun, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}.items():
        monkeypatch.setenv(name, value)
    output = tmp_path / "row.json"
    assert main([*SMALL, "--learning-rate=1e9", "--train-batches=6", f"--output={output}"]) == 1
    said = json.loads(output.read_text())
    assert (said["status"], said["rank"]) == ("diverged", 0)
    assert capsys.readouterr().err == f"rank 0: diverged: {said['reason']}\n"
    with pytest.raises(NotMeasuredError, match=r"diverged: the .* \(rank 0 of 2\)") as caught:
        outcome(said, 1, "", 2)
    assert caught.value.status == "diverged"


def test_a_worker_that_dies_is_a_crash_with_its_last_word() -> None:
    text = "W1 noise\nrank 1: --model: unknown\ntorch.distributed.elastic.ChildFailedError"
    for row, code, said in (({}, 1, "exit code 1: rank 1: --model: unknown"), ({}, 0, "rank 1")):
        with pytest.raises(NotMeasuredError, match=f"crashed: torchrun ended with .*{said}"):
            outcome(row, code, text, 2)
    assert outcome({"status": "ok"}, 0, "", 2) == {"status": "ok"}


def test_a_call_without_torchrun_says_how() -> None:
    done = subprocess.run([sys.executable, "-m", MODULE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "write: torchrun --standalone --nproc-per-node=2 -m fixtures.training.distributed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_shares_are_disjoint_and_warm_up_is_not_counted() -> None:
    wanted = options(batch_size=4, train_batches="epoch", warmup_batches=0)
    mine = [[number for batch in shares(41, wanted, rank, 2) for number in batch] for rank in (0, 1)]
    assert len(mine[0]) == len(mine[1]) == 20
    assert not set(mine[0]) & set(mine[1])
    warm, *counted = shares(100, options(batch_size=4, train_batches="3", warmup_batches=1), 0, 2)
    assert len(counted) == 3
    assert not set(warm) & {number for batch in counted for number in batch}
    with pytest.raises(NotMeasuredError, match="a batch of 32 is larger than a worker's share: 20 images"):
        shares(40, options(), 0, 2)


def test_the_slowest_worker_decides() -> None:
    ranks = [{"images": 10, "train_wall_s": 2.0}, {"images": 10, "train_wall_s": 4.0}]
    row = row_of(options(), "gloo", "synthetic", ranks, {"images_per_s": 2.5})
    assert (row["images_per_s"], row["scaling_efficiency"]) == (5.0, 1.0)
    alone = row_of(options(), "gloo", "synthetic", ranks, None)
    assert alone["scaling_efficiency"] is None
    assert "--baseline-1" in alone["warnings"][0]
