"""--config FILE.yaml: the same words, checks and effects as the command line, which wins; nothing but plain YAML."""

import json
from pathlib import Path

import pytest
from foreign import run_all
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_models import conv, save
from suite import ROOT, suite

from fixtures.config_file.arguments import arguments_of
from fixtures.config_file.input_spec import InputSpec, ModelSpec
from fixtures.config_file.onnx_section import onnx_section
from fixtures.config_file.schema import BENCHMARK, KEYS, SUITE, checked
from fixtures.config_file.yaml_text import parse
from tailgate.errors import TailgateError
from tailgate.options import OPTIONS

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


def refusal(text: str) -> str:
    with pytest.raises(TailgateError) as caught:
        checked(parse(text, "f.yaml"), "f.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "f.yaml, line 1: anchors (&a) are not allowed; write the value out"),
        ("threads: *x", "f.yaml, line 1: aliases (*x) are not allowed; write the value out"),
        ("rounds: 5\nseed: !!python/object/apply:os.system [ls]", "f.yaml, line 2: tags (tag:yaml.org,2002:python"),
        ("seed: !!int 5", "f.yaml, line 1: tags (tag:yaml.org,2002:int) are not allowed"),
        ("threads: 1\nrounds: 2\nthreads: 2", "f.yaml, line 3: 'threads' is already on line 1"),
        ("<<: {rounds: 5}", "f.yaml, line 1: merge keys (<<) are not allowed"),
        ("? [a, b]\n: 1", "f.yaml, line 1: a key must be a name"),
        ("- threads", "f.yaml: not a mapping of options to values"),
        ("just words", "f.yaml: not a mapping of options to values"),
        ("threads: [1, 2", "f.yaml: not YAML: expected ',' or ']', but got '<stream end>' (line 1, column 15)"),
        ("a: 1\n\tb: 2", "f.yaml: not YAML: found character '\\t' that cannot start any token (line 2, column 1)"),
        ("a: 1\n---\nb: 2", "f.yaml: not YAML: but found another document (line 2, column 1)"),
        ("a: " + "[" * 40 + "]" * 40, "f.yaml, line 1: nested more than 32 deep"),
        ("a: \x00", "f.yaml: not YAML: unacceptable character #x0000"),
        ("\nthread: 2", "f.yaml, line 2: unknown key 'thread'; did you mean 'threads'? (allowed: onnx, models, "),
        ("--rounds: 2", "f.yaml, line 1: unknown key '--rounds'; did you mean 'rounds'?"),
        ("warmup_rounds: 2", "f.yaml, line 1: unknown key 'warmup_rounds'; did you mean 'warmup-rounds'?"),
        ("5: 2", "f.yaml: the key 5 is not a name; put it in quotes"),
        ("rounds: [1]", "f.yaml, line 1: rounds: [1] is not a text or a number"),
        ("threads: {a: 1}", "f.yaml, line 1: threads: {'a': 1} is not a text or a number, or a list of them"),
        ("resume: 5", "f.yaml, line 1: resume: 5 is not true or false"),
        ("onnx: 5", "f.yaml, line 1: onnx: 5 is not a mapping"),
        ("seed: .nan", "f.yaml, line 1: seed: nan is not a text or a number"),
        ("config: other.yaml", "f.yaml, line 1: unknown key 'config'"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line_with_its_place(text: str, said: str) -> None:
    assert refusal(text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "rounds: 010",
            "f.yaml, line 1: 010 is octal in YAML 1.1 and decimal in 1.2: write the number without the zero",
        ),
        ("rounds: 08", "f.yaml, line 1: 08 is octal in YAML 1.1 and decimal in 1.2"),
        ("threads: [1, 0o10]", "f.yaml, line 1: 0o10 is octal in YAML 1.2 and a text in 1.1: write the number in dec"),
        ("threads:\n- 1\n- -007", "f.yaml, line 3: -007 is octal"),
        ("benchmark-timeout: 1:30", "f.yaml, line 1: 1:30 is a number to the base 60 in YAML 1.1: write it in decimal"),
        ("benchmark-timeout: 190:20:30.15", "f.yaml, line 1: 190:20:30.15 is a number to the base 60"),
        ("seed: 1__0", "f.yaml, line 1: 1__0 has an underscore where no digits are apart"),
        ("seed: 1_", "f.yaml, line 1: 1_ has an underscore where no digits are apart"),
        ("learning-rate: 1_.5", "f.yaml, line 1: 1_.5 has an underscore where no digits are apart"),
        ("onnx: {dims: {n: 010}}", "f.yaml, line 1: 010 is octal"),
        ("onnx: {models: {m: {inputs: {x: {shape: [1:30, 2]}}}}}", "f.yaml, line 1: 1:30 is a number to the base 60"),
        ("onnx:\n  dims:\n    no: 5", "f.yaml: the key no is not a name; put it in quotes (line 3)"),
        ("onnx: {models: {1:30: {high: 5}}}", "f.yaml: the key 1:30 is not a name; put it in quotes"),
        ("on: 1", "f.yaml: the key on is not a name; put it in quotes"),
        ("~: 1", "f.yaml: the key ~ is not a name; put it in quotes"),
        ("order: no", "f.yaml, line 1: order: no is not a text or a number (on, off, yes and no are true and false"),
        (
            "models: [yes, mlp]",
            "f.yaml, line 1: models: [True, 'mlp'] is not a text or a number, or a list of them (on,",
        ),
        ("seed: on", "f.yaml, line 1: seed: on is not a text or a number"),
        ("resume: 1", "f.yaml, line 1: resume: 1 is not true or false"),
        ("resume: 'yes'", "f.yaml, line 1: resume: 'yes' is not true or false"),
        ("csv: ~", "f.yaml, line 1: csv: ~ is null in YAML; leave the key out, or write '~' for the place"),
        ("rounds: 1\nonnx-dir: ~", "f.yaml, line 2: onnx-dir: ~ is null in YAML"),
        ("rounds: .inf", "f.yaml, line 1: rounds: inf is not a text or a number"),
        ("rounds: 5\nrounds: 5", "f.yaml, line 2: 'rounds' is already on line 1"),
        ("onnx: {dims: {a: 1, a: 2}}", "f.yaml, line 1: 'a' is already on line 1"),
        ("onnx: {dims: &d {a: 1}}", "f.yaml, line 1: anchors (&d) are not allowed"),
        ("onnx: {dims: {<<: {a: 1}}}", "f.yaml, line 1: merge keys (<<) are not allowed"),
    ],
)
def test_what_has_two_meanings_in_yaml_is_refused_with_the_way_to_write_it(text: str, said: str) -> None:
    assert refusal(text).startswith(said)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10), ("0", 0), ("-0", 0), ("+1", 1), ("1_000", 1000), ("1_000_000", 1_000_000), ("0x10", 16),
        ("0b11", 3), (".5", 0.5), ("0.", 0.0), ("0.5", 0.5), ("1e3", 1000), ("1E3", 1000), ("1.5e3", 1500),
        ("1.0e+3", 1000), ("1e-3", 0.001), ("-2.5e-1", -0.25), (".5e1", 5), ("1e30", 1e30),
        ("2026-01-02", "2026-01-02"), ("2026-01-02T10:00:00Z", "2026-01-02T10:00:00Z"), ("=", "="),
        ("y", "y"), ("n", "n"), ("1:90", "1:90"),
        ("1,000", "1,000"), ("'010'", "010"), ("'1:30'", "1:30"), ("'on'", "on"), ('"~"', "~"), ("1.2.3", "1.2.3"),
        ("v1.0_x", "v1.0_x"), ("resnet_18", "resnet_18"), ("_", "_"), ("a:30", "a:30"), ("e3", "e3"), ("1e", "1e"),
    ],
)  # fmt: skip
def test_a_value_is_what_its_writer_sees(text: str, value: object) -> None:
    found = checked(parse(f"models: {text}\n", "f"), "f")["models"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("resume: on\ngate: no", {"resume": True, "gate": False}),
        ("progress: off", {"progress": False}),
        ("seed: ~\nrounds: null\norder:", {}),
        ("order: none", {"order": "none"}),
    ],
)
def test_words_of_truth_and_null_mean_it_where_that_is_asked(text: str, values: dict[str, object]) -> None:
    assert checked(parse(text, "f"), "f") == values


@given(st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_as_python_writes_it_is_that_number(number: float) -> None:
    found = checked(parse(f"seed: {number!r}\n", "f"), "f")["seed"]
    assert found == number


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.text("ab:&*!-[]{}<>?|'\"\n \t#%@,", max_size=40))
def test_any_text_is_values_or_one_line(text: str) -> None:
    said = ""
    try:
        assert isinstance(checked(parse(text, "f.yaml"), "f.yaml"), dict)
    except TailgateError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("threads", [1, 2], ["--threads=1,2"]),
        ("threads", "legacy", ["--threads=legacy"]),
        ("rounds", 5, ["--rounds=5"]),
        ("resume", True, ["--resume"]),
        ("resume", False, []),
        ("progress", True, ["--progress=on"]),
        ("onnx-dir", ["a", "b c"], ["--onnx-dir=a", "--onnx-dir=b c"]),
    ],
)
def test_values_become_arguments_of_a_command_line(key: str, value: object, words: list[str]) -> None:
    assert arguments_of(key, value) == words


def test_an_empty_file_asks_for_nothing() -> None:
    assert checked(parse("", "f"), "f") == checked(parse("rounds:\n", "f"), "f") == {}


def test_every_option_is_a_key_and_every_key_is_documented() -> None:
    assert {option.name for option in OPTIONS} < set(KEYS)
    text = (ROOT / "docs" / "reference" / "config.md").read_text()
    assert not [key for key in (*SUITE, *(option.name for option in OPTIONS), *BENCHMARK) if f"`{key}`" not in text]


def test_the_onnx_section_goes_by_name_patterns() -> None:
    section = onnx_section(
        {
            "dims": {"sequence": 16},
            "models": {"bert*": {"dims": {"sequence": 64}, "inputs": {"ids": [1, 8]}}, "*/tiny": {"high": 5}},
        },
        "f",
    )
    assert section.of("resnet") == ModelSpec({"sequence": 16})
    assert section.of("bert/tiny") == ModelSpec({"sequence": 64}, {"ids": InputSpec((1, 8))}, 5)


CELLS = "models: [mlp]\nthreads: [1, 2]\nruntimes: pytorch\nprecisions: fp32\nbatch-sizes: 3\nprotocol: paper\n"
LIST = ("benchmarks", "--collect-only", "-q", "-k", "test_cpu_scaling")
SESSIONS: dict[str, tuple[str, tuple[str, ...], int, str]] = {
    "file": (CELLS, (), 0, "mlp-pytorch-fp32-t1-b3] mlp-pytorch-fp32-t2-b3]"),
    "typed": (CELLS, ("--threads", "4", "--batch-sizes=1"), 0, "mlp-pytorch-fp32-t4-b1]"),
    "threads": ("threads: two", (), 4, "ERROR: --threads: unknown value 'two' (allowed: 1 to 1024"),
    "protocol": ("protocol: quik", (), 4, "ERROR: --protocol: unknown value 'quik'; did you mean 'quick'?"),
    "models": ("models: [resnet5]", (), 4, "ERROR: --models: unknown model 'resnet5'; did you mean 'resnet50'?"),
    "folder": ("onnx-dir: /no/such", (), 4, "ERROR: --onnx-dir: there is no folder '/no/such'"),
    "empty folder": ("onnx-dir: [{here}]", (), 4, "ERROR: --onnx-dir: no model in '{here}' (looked for files that end"),
    "onnx": ("\nonnx:\n  dims: {a: x}", (), 4, "onnx: dims.a: 'x' is not a whole number (line 2 or below)"),
    "benchmark": ("benchmark-min-rounds: some", (), 4, "benchmark-min-rounds"),
    "unknown": ("thread: 1", (), 4, ", line 1: unknown key 'thread'; did you mean 'threads'?"),
}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """All of them in one process."""
    folder = tmp_path_factory.mktemp("yaml")
    arguments = {}
    for name, (text, typed, _, _) in SESSIONS.items():
        (folder / f"{name}.yaml").write_text(text.replace("{here}", str(folder)))
        arguments[name] = (*LIST, f"--config={folder / name}.yaml", *typed)
    arguments["missing"] = (*LIST, f"--config={folder / 'no.yaml'}")
    said = run_all(ROOT, *arguments.values())
    return {name: (said[one][0], said[one][1].replace(str(folder), "{here}")) for name, one in arguments.items()}


@pytest.mark.parametrize("name", SESSIONS)
def test_the_command_line_wins_and_a_wrong_value_has_its_words(sessions: dict[str, tuple[int, str]], name: str) -> None:
    code, text = sessions[name]
    _, _, expected, said = SESSIONS[name]
    assert code == expected, text
    assert "Traceback" not in text
    if code == 0:
        said_cells = [line.partition("[")[2] for line in text.splitlines() if "::" in line]
        assert " ".join(said_cells) == said
    else:
        assert said in text


def test_no_such_file(sessions: dict[str, tuple[int, str]]) -> None:
    code, text = sessions["missing"]
    assert code == 4
    assert "ERROR: --config: {here}/no.yaml: there is no such file" in text


def test_the_instrument_obeys_in_the_benchmarks_own_process_too(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        f"onnx-dir: {save(conv(), tmp_path / 'm.onnx')}\nruntimes: [onnxruntime]\nrounds: 7\n"
        "onnx: {dims: {height: 8, width: 8}}\n"
        f"warmup-rounds: 2\nmeters: cpu\nbenchmark-max-time: 0.5\ncsv: {tmp_path / 'rows.csv'}\nstart-method: fork\n"
    )
    outcome = suite(
        "-k", "test_onnx_profiles", f"--config={tmp_path / 'c.yaml'}", f"--benchmark-json={tmp_path / 'out.json'}",
        "--warmup-rounds=3",
    )  # fmt: skip
    assert outcome.code == 0, outcome.text
    saved = json.loads((tmp_path / "out.json").read_text())
    (bench,) = saved["benchmarks"]
    assert saved["tailgate_run"]["start_method"] == "fork"
    assert (bench["stats"]["rounds"], bench["extra_info"]["warmup_rounds"]) == (7, 3)
    assert bench["options"]["max_time"] == 0.5
    assert "rss_peak_bytes" not in bench["extra_info"]
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 2
