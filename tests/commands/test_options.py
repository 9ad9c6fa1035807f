"""A wrong value ends the run before anything is measured: one line, exit code 4."""

import pytest
from foreign import run_all
from suite import ROOT, Outcome, suite

from fixtures.models import models
from fixtures.runtimes._base import Runtime

WRONG = [
    (("--models", "resnet5"), "--models: unknown model 'resnet5'; did you mean 'resnet50'. .*--list-models"),
    (("--models", ","), "--models: no model given"),
    (("--runtimes", "onnxruntim"), "--runtimes: unknown runtime 'onnxruntim'; did you mean 'onnxruntime'."),
    (("--precisions", "fp23"), "--precisions: unknown precision 'fp23'; did you mean 'fp32'."),
    (("--protocol", "quik"), "--protocol: unknown value 'quik'; did you mean 'quick'."),
    (("--threads", "0"), "--threads: 0 is out of range .allowed: 1 to 1024"),
    (("--threads", "two"), "--threads: unknown value 'two' .allowed: 1 to 1024"),
    (("--batch-sizes", "-1"), "--batch-sizes: -1 is out of range"),
    (("--image-size", "7"), "--image-size: 7 is out of range .allowed: 32 to 1024"),
    (("--weights", "pretraned"), "--weights: unknown value 'pretraned'; did you mean 'pretrained'."),
    (("--benchmark-compare=epic",), "--benchmark-compare: no saved run 'epic'"),
    (("--csv", "/proc/no/x.csv"), "--csv: /proc/no/x.csv cannot be written"),
    (("--benchmark-json=/proc/no/x.json",), "--benchmark-json: /proc/no cannot be written"),
    (("--benchmark-save=x", "-o", "tailgate_baselines=/proc/no"), "--benchmark-storage: /proc/no cannot"),
]


@pytest.fixture(scope="module")
def refused() -> dict[tuple[str, ...], list]:  # type: ignore[type-arg]
    """Exit code and output of all of them, from one process: each took a second to start and ended at once."""
    sessions = {arguments: ("benchmarks", *arguments) for arguments, _ in WRONG}
    found = run_all(ROOT, *sessions.values())
    return {arguments: found[session] for arguments, session in sessions.items()}


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_a_wrong_value_is_one_line_and_exit_4(
    refused: dict[tuple[str, ...], list],  # type: ignore[type-arg]
    arguments: tuple[str, ...],
    said: str,
) -> None:
    outcome = Outcome(*refused[arguments])
    assert outcome.code == 4, outcome.text
    (line,) = outcome.lines("^ERROR: ")
    assert outcome.lines(said) == [line]
    assert "Traceback" not in outcome.text
    assert "median" not in outcome.text


def test_an_unwritable_cache_is_said_before_anything_is_made() -> None:
    outcome = suite("--models=mlp", TAILGATE_CACHE="/proc/no")
    assert outcome.code == 4
    assert outcome.lines("^ERROR: the artefact cache /proc/no cannot be written .*TAILGATE_CACHE=DIR")


def test_k_that_matches_nothing_says_what_it_could_match() -> None:
    outcome = suite("-k", "resnet5x0")
    assert outcome.code == 5
    assert outcome.lines("-k 'resnet5x0' matches none of the .* did you mean 'resnet50'.*onnxruntime")
    assert outcome.lines("--models .*--list-models")


def test_list_models_prints_every_name_and_stops() -> None:
    outcome = suite("--list-models")
    assert outcome.code == 0
    assert outcome.text.split() == list(models())


class Absent(Runtime):
    name = "absent"
    requires = ("surely_not_installed", "json")

    def supports(self, device: str, precision: str) -> str | None:
        return None

    def load(self, *arguments):  # type: ignore[no-untyped-def]
        raise AssertionError("never reached")


def test_a_runtime_that_is_not_installed_names_the_command() -> None:
    assert Absent().missing() == (
        "runtime absent needs surely_not_installed; install with: pip install surely_not_installed"
    )
    assert Absent().version is None


def test_named_it_fails_and_swept_it_is_skipped(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    from fixtures import options
    from fixtures.cells import matrix
    from tailgate.errors import TailgateError

    table = {"absent": Absent()}
    monkeypatch.setattr(options, "runtimes", lambda: table)
    monkeypatch.setattr(matrix, "runtimes", lambda: table)
    monkeypatch.setattr(request.config.option, "runtimes", "absent")
    with pytest.raises(TailgateError, match="pip install surely_not_installed"):
        options.options_from(request.config)
    grid = matrix.Grid(("mlp",), ("absent",), ("fp32",), (1,), (1,))
    (cell,) = matrix.cells(grid, 224)
    assert "pip install surely_not_installed" in cell.marks[0].kwargs["reason"]
