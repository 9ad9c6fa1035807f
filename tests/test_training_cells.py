"""Which cells of training there are, what they are called, and what a wrong option says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from suite import suite

from benchmarks.test_training_roofline import TRAINING as STUDY
from fixtures.config_file.schema import SUITE
from fixtures.options import OPTIONS, SuiteOptions
from fixtures.training.grid import Cell, cells, grid_of
from fixtures.training.options import TRAINING, TrainingOptions, options_from
from fixtures.training.scaling import cells as scaling_cells
from tailgate.errors import TailgateError

SUITE_ASKS = SuiteOptions(None, None, None, None, None, 224, "random")
ASKS = TrainingOptions(None, None, 2, None, 0.1, None)
FILE = "benchmarks/test_training_roofline.py"


def made(suite_asks: SuiteOptions = SUITE_ASKS, asks: TrainingOptions = ASKS, protocol: str = "quick") -> list[Cell]:
    return list(cells(grid_of([STUDY.mark], protocol), suite_asks, asks, cpus=2))


def test_the_studys_own_cells() -> None:
    found = {cell.id: cell.scenario for cell in made()}
    assert found == {
        "resnet18-pytorch-fp32-t2-b128": "A",
        "mobilenet_v2-pytorch-fp32-t2-b128": "A",
        "resnet50-pytorch-fp32-t2-b128": "A",
        "squeezenet1_1-pytorch-fp32-t2-b32": "B",
        "squeezenet1_1-pytorch-fp32-t2-b64": "A+B",
        "squeezenet1_1-pytorch-fp32-t2-b128": "B",
        "squeezenet1_1-pytorch-fp32-t2-b256": "B",
    }
    assert {(cell.image_size, cell.classes, cell.workers, cell.learning_rate) for cell in made()} == {(64, 200, 2, 0.1)}
    assert not [cell.reason for cell in made() if cell.reason]


def test_the_paper_protocol_is_what_the_source_ran() -> None:
    found = made(protocol="paper")
    assert {(one.image_size, one.classes, one.batches, one.warmup, one.augment) for one in found} == {
        (224, 1000, 50, 0, True)
    }
    assert found[0].id == "resnet18-pytorch-fp32-t2-b128-224px"


def test_what_is_asked_for_replaces_the_studys_own() -> None:
    asked = replace(SUITE_ASKS, models=("resnet18",), batch_sizes=(8, 16), threads=(1,))
    found = made(asked, replace(ASKS, autocast="bf16", train_batches="epoch", image_size=96))
    assert [(cell.id, cell.scenario, cell.batches) for cell in found] == [
        ("resnet18-pytorch-bf16-t1-b8-96px", "B", "epoch"),
        ("resnet18-pytorch-bf16-t1-b16-96px", "B", "epoch"),
    ]
    (single,) = made(replace(asked, batch_sizes=(8,)))
    assert single.scenario == "A"
    rounds = cells(grid_of([STUDY.mark], "quick"), asked, ASKS, 2, (5, 0))
    assert {(cell.batches, cell.warmup) for cell in rounds} == {(5, 0)}


@pytest.mark.parametrize(
    ("models", "precisions", "size", "weights", "said"),
    [
        (("inception_v3",), None, None, "random", "inception_v3 takes images of at least 75 px, not 64"),
        (("alexnet",), None, 63, "random", None),
        (("mlp",), None, None, "random", "mlp is not trained here"),
        (("mobilenet_v2_w0.2",), None, None, "random", "mobilenet_v2_w0.2 is not trained here"),
        (None, ("int8",), None, "random", "nothing is trained in int8"),
        (None, ("fp16",), None, "random", "on a CPU use bf16"),
        (None, None, None, "pretrained", "training starts from random weights"),
    ],
)
def test_a_cell_that_cannot_be_trained_is_skipped_with_its_reason(
    models: tuple[str, ...] | None, precisions: tuple[str, ...] | None, size: int | None, weights: str, said: str | None
) -> None:
    asked = replace(SUITE_ASKS, models=models, precisions=precisions, weights=weights)
    for cell in made(asked, replace(ASKS, image_size=size)):
        assert (cell.reason is None) == (said is None)
        assert said is None or said in str(cell.reason)


def test_cells_of_several_workers() -> None:
    own = {"models": ["resnet18"], "batch_size": 32, "batches": 8, "warmup": 2, "worlds": [1, 2]}
    found = [cell.id for cell in scaling_cells(own, SUITE_ASKS, ASKS)]
    assert found == ["resnet18-pytorch-fp32-w1-t1-b32", "resnet18-pytorch-fp32-w2-t1-b32"]


class Config:
    """As much of pytest's as the options need."""

    def __init__(self, precisions: tuple[str, ...] | None = None, **given: str) -> None:
        self._given = {f"--{name.replace('_', '-')}": value for name, value in given.items()}
        self.stash: Any = {OPTIONS: replace(SUITE_ASKS, precisions=precisions, image_size=96)}
        self.invocation_params = self
        self.dir = "/somewhere"

    def getoption(self, flag: str) -> str | None:
        return self._given.get(flag)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"train_batches": "0"}, "--train-batches: 0 is out of range (allowed: 1 to 1000000)"),
        ({"train_batches": "epochs"}, "--train-batches: 'epochs' is not a whole number; did you mean 'epoch'?"),
        ({"train_batches": "2.5"}, "--train-batches: '2.5' is not a whole number (allowed: 1 to 1000000, or epoch)"),
        ({"loader_workers": "-1"}, "--loader-workers: -1 is out of range (allowed: 0 to 64)"),
        ({"loader_workers": "two"}, "--loader-workers: 'two' is not a whole number"),
        ({"autocast": "bf61"}, "--autocast: unknown value 'bf61'; did you mean 'bf16'? (allowed: off, bf16, fp16)"),
        ({"autocast": "bf16", "precisions": ("fp32",)}, "--autocast: bf16 is the precision bf16, and --precisions"),
        ({"learning_rate": "fast"}, "--learning-rate: 'fast' is not a number (allowed: above 0)"),
        ({"learning_rate": "0"}, "--learning-rate: 0 is out of range (allowed: finite and above 0)"),
        ({"learning_rate": "nan"}, "--learning-rate: nan is out of range"),
        ({"tiny_imagenet": " "}, "--tiny-imagenet: no folder named; write --tiny-imagenet=DIR"),
    ],
)
def test_a_wrong_value_is_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(TailgateError) as caught:
        options_from(Config(**given))  # type: ignore[arg-type]
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_right_values_and_defaults() -> None:
    assert options_from(Config()) == ASKS  # type: ignore[arg-type]
    asked = Config(
        train_batches="epoch", loader_workers="0", autocast="off", learning_rate="1e6", tiny_imagenet="data",
        image_size="96",
    )  # fmt: skip
    found = options_from(asked)  # type: ignore[arg-type]
    assert found == TrainingOptions(Path("/somewhere/data"), "epoch", 0, "off", 1e6, 96)
    assert {"tiny-imagenet", "train-batches", "loader-workers", "autocast", "learning-rate"} <= set(SUITE)
    assert TRAINING is not OPTIONS


def test_a_bad_folder_costs_its_cells_and_a_wrong_option_the_run(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "wishes.yaml").write_text("autocast: off\ntrain-batches: 2\nmodels: resnet18\n")
    outcome = suite(
        f"--config={tmp_path}/wishes.yaml", f"--tiny-imagenet={tmp_path}/empty", "-k", "test_training[",
        within=FILE,
    )  # fmt: skip
    assert outcome.code == 1, outcome.text
    assert outcome.lines(r"FAILED: --tiny-imagenet: .*/empty is empty; extract tiny-imagenet-200.zip again")
    assert "Traceback" not in outcome.text


def test_training_is_left_out_of_a_run_of_all_studies_and_says_so() -> None:
    outcome = suite("--collect-only", "-q", "-k", "squeezenet1_1")
    assert "test_training" not in "".join(outcome.lines("::"))
    assert outcome.lines("Left out: 4 x test_training, training takes minutes, so only with: pytest benchmarks/test_tr")
