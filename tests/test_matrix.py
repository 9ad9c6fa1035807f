from types import SimpleNamespace

import pytest

from fixtures.cells.matrix import Grid, cells, grid_of, impossible, pytest_tailgate_expected
from fixtures.options import OPTIONS, SuiteOptions
from tailgate.errors import TailgateError
from tailgate.session.protocol import PRESETS
from tailgate.session.settings import SETTINGS, Settings

OWN = {
    "name": "study",
    "models": ["resnet50"],
    "runtimes": ["pytorch"],
    "precisions": ["fp32"],
    "threads": [1, 2],
    "batch_sizes": [1, 8],
}
NOTHING_ASKED = SuiteOptions(None, None, None, None, None, 224, "random")


def marker(**changes: object) -> pytest.Mark:
    return pytest.mark.study(**{**OWN, **changes}).mark


def test_the_id_reads_as_the_design_has_it() -> None:
    ids = [cell.id for cell in cells(grid_of(marker(), None), 224)]
    assert ids == [
        "resnet50-pytorch-fp32-t1-b1",
        "resnet50-pytorch-fp32-t2-b1",
        "resnet50-pytorch-fp32-t1-b8",
        "resnet50-pytorch-fp32-t2-b8",
    ]


def test_a_protocol_may_have_a_grid_of_its_own() -> None:
    own = marker(paper={"batch_sizes": [1, 2, 4, 8, 16]})
    assert grid_of(own, "paper").batch_sizes == (1, 2, 4, 8, 16)
    assert grid_of(own, "quick").batch_sizes == (1, 8)


def test_the_command_line_wins_over_the_study() -> None:
    asked = SuiteOptions(("mlp",), None, ("int8",), (4,), None, 224, "random")
    grid = grid_of(marker(), None).asked(asked)
    assert (grid.models, grid.precisions, grid.threads, grid.batch_sizes) == (("mlp",), ("int8",), (4,), (1, 8))
    assert grid_of(marker(), None).asked(NOTHING_ASKED) == grid_of(marker(), None)


@pytest.mark.parametrize("changes", [{"modles": ["x"]}, {"name": None}, {"threads": "some"}])
def test_a_misspelt_study_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(TailgateError):
        grid_of(marker(**changes), None)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (("resnet50", "onnxruntime", "bf16", 224), "onnxruntime bf16: ONNX Runtime's CPU provider has no bf16"),
        (("resnet50", "pytorch", "int8", 224), "pytorch int8: torch itself no longer quantises"),
        (("resnet50", "openvino", "tf32", 224), "openvino tf32: tf32 is not a precision of a CPU"),
        (("vit_b_16", "pytorch", "fp32", 100), "vit_b_16 takes multiples of 16 px, not 100"),
        (("inception_v3", "pytorch", "fp32", 64), "inception_v3 takes images of at least 75 px, not 64"),
    ],
)
def test_an_impossible_cell_says_why(cell: tuple[str, str, str, int], reason: str) -> None:
    assert str(impossible(*cell)).startswith(reason)


def test_a_possible_cell_has_no_reason() -> None:
    assert impossible("resnet50", "pytorch", "fp32", 224) is None
    (cell,) = cells(Grid(("mlp",), ("pytorch",), ("fp32",), (64,), (1,)), 224)
    assert [mark.name for mark in cell.marks] == ["preload"]


SAVED = {
    "study": "study", "model": "resnet50", "runtime": "pytorch", "precision": "fp32", "threads": 2, "batch_size": 1,
    "image_size": 224, "weights": "random", "protocol": "quick",
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "protocol", "changes", "expected"),
    [
        ({}, "quick", {}, None),
        ({"models": ("resnet18",)}, "quick", {}, False),
        ({"models": ("resnet18", "resnet50")}, "quick", {}, None),
        ({"runtimes": ("onnxruntime",)}, "quick", {}, False),
        ({"precisions": ("int8",)}, "quick", {}, False),
        ({"threads": (1,)}, "quick", {}, False),
        ({"threads": (1, 2)}, "quick", {}, None),
        ({"batch_sizes": (8,)}, "quick", {}, False),
        ({"image_size": 96}, "quick", {}, False),
        ({"image_size": 96}, "quick", {"image_size": None}, None),
        ({"weights": "pretrained"}, "quick", {}, False),
        ({}, "paper", {}, False),
        ({}, None, {}, None),
        ({"models": ("resnet18",)}, "quick", {"study": None}, False),
    ],
)
def test_a_saved_cell_that_an_option_leaves_out_is_not_expected(
    asked: dict[str, object], protocol: str | None, changes: dict[str, object], expected: bool | None
) -> None:
    options = SuiteOptions(**{**vars(NOTHING_ASKED), **asked})  # type: ignore[arg-type]
    settings = Settings(protocol=PRESETS[protocol] if protocol else None)
    config = SimpleNamespace(stash={OPTIONS: options, SETTINGS: settings})
    assert pytest_tailgate_expected(config, SAVED | changes) is expected  # type: ignore[arg-type]


def test_other_projects_rows_are_not_the_suites_business() -> None:
    assert pytest_tailgate_expected(SimpleNamespace(), {"model": "x"}) is None  # type: ignore[arg-type]
