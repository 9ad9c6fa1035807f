"""Our TensorRT runtime against NVIDIA's real Python bindings; their libraries are stubs that export names alone.

No engine is built: nothing here says that TensorRT takes our files. What is held is that each class, method, enum
member and signature we use is there, as we use it, in the version installed.
"""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tensorrt_used import CLASS, ENUM, PROPERTY, TEXT, USED, Method, used_by_the_code

PACKAGE = "tensorrt_bindings"
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
ASK = """
import json, sys
import tensorrt_bindings
sys.modules["tensorrt"] = tensorrt_bindings
import tensorrt as trt

def told(name):
    owner, _, member = name.partition(".")
    value = getattr(trt, owner)
    if isinstance(value, type) and not member:
        return {"kind": "class", "doc": value.__init__.__doc__ or ""}
    if not member:
        return {"kind": "text", "doc": value}
    inside = getattr(value, member)
    if isinstance(inside, property):
        return {"kind": "property", "doc": ""}
    if callable(inside):
        return {"kind": "method", "doc": inside.__doc__ or ""}
    return {"kind": "enum", "doc": repr(inside), "int": int(inside)}

found = {}
for name in json.loads(sys.argv[1]):
    try:
        found[name] = told(name)
    except AttributeError as error:
        found[name] = {"kind": f"missing: {error}", "doc": ""}

from pathlib import Path
from fixtures.runtimes._tensorrt.build import strong_typing
from fixtures.runtimes._tensorrt.log import collector
logger = collector(trt)
logger.log(trt.ILogger.WARNING, "dropped")
logger.log(trt.ILogger.ERROR, "kept")
logger.log(trt.ILogger.INTERNAL_ERROR, "kept too")
found["our logger"] = logger.errors
found["our flags"] = strong_typing(trt)
found["weak typing"] = [name for name in ("FP16", "BF16", "INT8") if hasattr(trt.BuilderFlag, name)]
described = trt.PluginTensorDesc()  # what else takes Dims and can be made without the library
described.dims = (8, 3, 224, 224)
found["dims of a tuple"] = [type(described.dims).__name__, *described.dims]
print(json.dumps(found))
"""


def undefined(library: Path) -> list[str]:
    """The names a library wants of TensorRT's own: undefined, unversioned, and not the C library's."""
    done = subprocess.run(["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True)
    names = [line.split()[-1] for line in done.stdout.splitlines()]
    return [name for name in names if re.match(r"(create|get|init)\w*(Infer|NvOnnx|PluginRegistry|Plugins)\w*$", name)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the bindings say of everything in the table, asked in one process of its own."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("NVIDIA's bindings are not installed; pip install tensorrt-cu13-bindings")
    for tool in ("gcc", "nm"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here, to make the stub libraries with")
    names = undefined(Path(spec.submodule_search_locations[0]) / "tensorrt.so")
    assert len(names) == 9, f"the bindings want other names than they did: {names}"
    folder = tmp_path_factory.mktemp("stubs")
    (folder / "stub.c").write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in names))
    for library in LIBRARIES:
        soname = f"lib{library}.so.{importlib.metadata.version('tensorrt-cu13-bindings').partition('.')[0]}"
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-o", folder / soname, folder / "stub.c", f"-Wl,-soname,{soname}"], check=True
        )
    root = Path(__file__).parent.parent
    paths = os.pathsep.join([str(root), str(root / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(list(USED))],
        env={**os.environ, "LD_LIBRARY_PATH": str(folder), "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SIGNATURE = re.compile(r"(?:^|\d+\. )\w+\((.*)\) -> (.+)$", re.MULTILINE)
PREFIXES = re.compile(
    r"\b(tensorrt_bindings\.tensorrt|typing_extensions|typing|collections\.abc|nvonnxparser|nvinfer1)(\.|::)"
)


def overloads(doc: str) -> list[tuple[list[str], str]]:
    """Of each: the arguments but ``self``, and the answer's type."""
    plain = PREFIXES.sub("", doc).replace("SupportsInt", "int")
    return [(_split(arguments)[1:], gives.strip()) for arguments, gives in SIGNATURE.findall(plain)]


def _split(arguments: str) -> list[str]:
    """At the commas that are in no bracket."""
    parts, depth = [""], 0
    for letter in arguments:
        depth += (letter in "[(<") - (letter in "])>")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def fits(wanted: Method, arguments: list[str], gives: str) -> bool:
    """Whether our call binds to an overload, and its answer is what we take it for."""
    types = [argument.partition(":")[2].partition("=")[0].strip() for argument in arguments]
    optional = ["=" in argument for argument in arguments]
    given = len(wanted.takes)
    return types[:given] == list(wanted.takes) and all(optional[given:]) and gives == wanted.gives


@pytest.mark.parametrize("name", list(USED))
def test_the_bindings_have_what_we_use_as_we_use_it(told: dict[str, Any], name: str) -> None:
    wanted, found = USED[name], told[name]
    if isinstance(wanted, Method):
        assert found["kind"] in ("method", CLASS), found["kind"]
        assert any(fits(wanted, *one) for one in overloads(found["doc"])), f"{wanted} in {found['doc']}"
    else:
        assert found["kind"] == wanted


def test_the_table_is_all_that_the_code_uses() -> None:
    assert used_by_the_code() == set(USED)


def test_every_kind_of_member_is_in_the_table() -> None:
    kinds = {value if isinstance(value, str) else "method" for value in USED.values()}
    assert kinds == {"method", ENUM, PROPERTY, TEXT}


def test_our_logger_is_one_of_theirs_and_keeps_errors_alone(told: dict[str, Any]) -> None:
    assert told["our logger"] == ["kept", "kept too"]


def test_a_network_of_this_version_is_strongly_typed(told: dict[str, Any]) -> None:
    assert told["our flags"] == 1 << told["NetworkDefinitionCreationFlag.STRONGLY_TYPED"]["int"]
    major = int(told["__version__"]["doc"].partition(".")[0])
    assert (told["weak typing"] == []) == (major >= 11), "from 11 on there is no weak typing to fall into"


def test_a_tuple_is_taken_where_a_shape_is_wanted(told: dict[str, Any]) -> None:
    """As our profile's ``set_shape`` gives them."""
    assert told["dims of a tuple"] == ["Dims", 8, 3, 224, 224]


OVERLOADED = "f(*args, **kwargs)\nOverloaded function.\n\n1. f(self: X, a: B) -> A\n\n2. f(self: X, a: str) -> A\n"


@pytest.mark.parametrize(
    ("wanted", "doc", "bound"),
    [
        (Method(("int",), "A"), "f(self: X, index: typing.SupportsInt) -> tensorrt_bindings.tensorrt.A\n\n", True),
        (Method(("int",), "A"), "f(self: X, index: str) -> A", False),
        (Method((), "A"), "f(self: X, index: typing.SupportsInt) -> A", False),
        (Method((), "A"), "f(self: X, index: typing.SupportsInt = 0) -> A", True),
        (Method(("str",), "A"), OVERLOADED, True),
        (Method((), "bool"), "f(self: X) -> None", False),
    ],
)  # fmt: skip
def test_a_signature_is_read_rightly(wanted: Method, doc: str, bound: bool) -> None:
    assert any(fits(wanted, *one) for one in overloads(doc)) == bound
