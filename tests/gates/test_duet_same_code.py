"""Which code the sides of a duet ran: judged from the files that they say they imported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tailgate.gates.duet.imported import imported, native_files
from tailgate.gates.duet.same_code import Checkouts

SITE = "env/lib/python3.11/site-packages"
MODULE_FILES = {"rests": "rests/__init__.py", "rests.core": "rests/core.py", "test_a": "tests/test_a.py"}


def told(
    folder: Path, files: dict[str, str], native: Sequence[str] = (), *,
    packages: Sequence[Path] = (), python: str = "p", tests: Sequence[str] = ("test_a",), plugins: Sequence[str] = (),
    versions: dict[str, str] | None = None, version: str = "3.11.9",
) -> dict[str, Any]:  # fmt: skip
    """As :func:`imported` says it; ``files``: by module, in ``folder``; each is written where it is not there yet."""
    for name in [*files.values(), *native]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if not (folder / name).exists():
            (folder / name).write_text(f"{folder} {name}")
    return {
        "modules": {module: str(folder / name) for module, name in files.items()},
        "versions": {"rests": "1.0", **(versions or {})},
        "native": [str(folder / name) for name in native],
        "tests": ["conftest", *tests],
        "plugins": list(plugins),
        "packages": [str(one) for one in packages],
        "interpreter": [python, f"{version} (main) [GCC]", "Linux"],
    }


@pytest.fixture
def head(tmp_path: Path) -> Path:
    (tmp_path / "head").mkdir()
    return tmp_path / "head"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "base").mkdir()
    return tmp_path / "base"


def test_two_checkouts_that_differ_are_two_codes(base: Path, head: Path) -> None:
    ran = Checkouts(head, base).judge(told(base, MODULE_FILES), told(head, MODULE_FILES))
    assert (ran.reason, ran.note) == (None, None)
    assert ran.packages["head"]["rests"] == {
        "version": "1.0", "folder": None, "files": 2, "sha256": ran.packages["head"]["rests"]["sha256"],
    }  # fmt: skip
    assert ran.packages["base"]["rests"]["sha256"] != ran.packages["head"]["rests"]["sha256"]


def test_two_checkouts_of_the_same_content_are_compared_and_said_to_be(base: Path, head: Path) -> None:
    for folder in (base, head):
        for name in MODULE_FILES.values():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(name)
    ran = Checkouts(head, base).judge(told(base, MODULE_FILES), told(head, MODULE_FILES))
    assert (ran.reason, ran.note) == (None, "nothing that either side imported differs")


def test_base_with_a_module_of_heads_checkout_compares_nothing(base: Path, head: Path) -> None:
    said = told(head, {"rests": "src/rests/__init__.py"})
    said["modules"]["test_a"] = str(base / "tests/test_a.py")
    ran = Checkouts(head, base).judge(said, told(head, {"rests": "src/rests/__init__.py"}))
    assert ran.reason is not None
    assert ran.reason.startswith("base imported rests from head's checkout (an editable installation): both sides ran")


@pytest.mark.parametrize("environment", [".venv/lib/python3.11/site-packages", ".tox/x/thing", "conda/rests"])
def test_an_environment_in_heads_checkout_is_no_code_of_its(base: Path, head: Path, environment: str) -> None:
    said = told(head, {"numpy": f"{environment}/numpy/__init__.py"})
    sides = Checkouts(head, base, environments=(str(head / ".tox/x"), str(head / "conda")))
    assert sides.judge(said, said).reason is None


def test_an_environment_that_holds_the_checkout_does_not_excuse_it(base: Path, head: Path) -> None:
    # /usr, and /usr/src/app in a container
    sides = Checkouts(head, base, environments=(str(head.parent), str(head.parent.parent)))
    assert "from head's checkout" in str(sides.judge(told(head, MODULE_FILES), told(head, MODULE_FILES)).reason)


@pytest.mark.parametrize("layout", ["", "src", "packages/one/src", "packages/one", "source"])
@pytest.mark.parametrize(
    ("changed", "expected"),
    [("rests/core.py", True), ("rests/new.py", True), ("speed.c", True), ("README.md", False), ("tests/t.py", False)],
)
def test_an_installation_that_is_not_editable_is_one_code(
    base: Path, head: Path, tmp_path: Path, layout: str, changed: str, expected: bool
) -> None:
    installed = told(tmp_path / SITE, {"rests": "rests/__init__.py", "rests.core": "rests/core.py"})
    for folder in (base, head):
        told(folder / layout, MODULE_FILES)
    place = str(Path(layout, changed))
    sides = Checkouts(
        head, base, changed=(place,), tracked=frozenset(str(Path(layout, one)) for one in MODULE_FILES.values())
    )
    ran = sides.judge(installed, installed)
    if expected:
        assert ran.reason is not None
        assert ran.reason.startswith(
            f"both sides imported rests 1.0 from {tmp_path / SITE}, an installation, though {place} differs: "
        )
    else:
        assert (ran.reason, ran.note) == (None, "nothing that either side imported differs")
    assert ran.packages["base"]["rests"]["folder"] == str(tmp_path / SITE)


def test_a_library_of_others_is_no_project(base: Path, head: Path, tmp_path: Path) -> None:
    installed = told(tmp_path / SITE, {"numpy": "numpy/__init__.py"})
    ran = Checkouts(head, base, changed=("rests/core.py", "speed.c")).judge(installed, installed)
    assert (ran.reason, ran.packages["head"]) == (None, {})


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (("app/_vendor/numpy/__init__.py", "app/_vendor/__init__.py"), False),
        (("vendored/numpy/__init__.py",), True),
        (("examples/numpy/core.py",), False),
    ],
)
def test_a_copy_of_a_library_in_a_package_is_not_the_library(
    base: Path, head: Path, tmp_path: Path, files: tuple[str, ...], found: bool
) -> None:
    installed = told(tmp_path / SITE, {"numpy": "numpy/__init__.py", "numpy.core": "numpy/core.py"})
    ran = Checkouts(head, base, changed=files[:1], tracked=frozenset(files)).judge(installed, installed)
    assert (ran.reason is not None) is found


def test_two_installations_of_it_are_two_codes(base: Path, head: Path, tmp_path: Path) -> None:
    told(head, MODULE_FILES)
    files = {"rests": "rests/__init__.py"}
    one, other = told(tmp_path / "old" / SITE, files), told(tmp_path / "new" / SITE, files)
    assert Checkouts(head, base, changed=("rests/core.py",)).judge(one, other).reason is None


@pytest.mark.parametrize("through", ["link", f"env/{SITE}"])
def test_heads_checkout_by_another_name_is_heads_checkout(base: Path, head: Path, tmp_path: Path, through: str) -> None:
    said = told(head, MODULE_FILES)
    (tmp_path / through).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / through).symlink_to(head)
    named = {"rests": f"{through}/rests/__init__.py"}
    ran = Checkouts(head, base).judge(told(tmp_path, named), said)
    assert str(ran.reason).startswith("base imported rests from head's checkout")
    assert (
        Checkouts(head, base).judge(told(base, MODULE_FILES), told(tmp_path, named)).packages["head"]["rests"]["folder"]
        is None
    )


def test_a_checkout_among_installed_packages_is_a_checkout(tmp_path: Path) -> None:
    head, base = tmp_path / SITE / "project", tmp_path / "base"
    said = told(head, MODULE_FILES)
    assert str(Checkouts(head, base).judge(said, said).reason).startswith("base imported rests and more from head's")


SPEED = "rests/_speed.cpython-311-x86_64-linux-gnu.so"


@pytest.mark.parametrize(
    ("base_has", "head_has", "tracked", "built", "expected"),
    [
        (False, True, False, False, f"head loaded {SPEED}, which git does not have, and base's checkout lacks it"),
        (False, True, True, False, None),
        (False, True, False, True, None),
        (True, True, False, True, None),
        (True, False, False, True, f"base loaded {SPEED}, which --duet-build made, and head has none"),
        (False, False, False, False, None),
    ],
)
def test_a_compiled_part_that_one_side_lacks(
    base: Path, head: Path, base_has: bool, head_has: bool, tracked: bool, built: bool, expected: str | None
) -> None:
    said = [told(folder, MODULE_FILES, [SPEED] if has else []) for folder, has in ((base, base_has), (head, head_has))]
    ran = Checkouts(head, base, tracked=frozenset({SPEED} if tracked else ()), built=built).judge(said[0], said[1])
    assert str(ran.reason).startswith(str(expected))
    assert ran.note == (f"base ran without {SPEED}" if head_has and not base_has and expected is None else None)


def test_a_compiled_part_for_another_python_is_that_part(base: Path, head: Path) -> None:
    said = told(base, MODULE_FILES, ["rests/_speed.cpython-312-x86_64-linux-gnu.so"])
    assert Checkouts(head, base, built=True).judge(said, told(head, MODULE_FILES, [SPEED])).reason is None


def test_another_python_that_imports_heads_code_though_it_has_its_own(head: Path, tmp_path: Path) -> None:
    site = tmp_path / SITE
    (site / "rests").mkdir(parents=True)
    said = told(head, MODULE_FILES, packages=[site], python="other")
    ran = Checkouts(head).judge(said, told(head, MODULE_FILES))
    assert str(ran.reason).startswith(f"base imported rests from {head}, as head did, though its Python has rests inst")
    (site / "rests").rmdir()
    assert Checkouts(head).judge(said, told(head, MODULE_FILES)).reason is None  # one code in another Python


def test_a_test_module_that_is_called_as_an_installed_package_is_the_projects(head: Path, tmp_path: Path) -> None:
    (tmp_path / SITE / "test_a").mkdir(parents=True)
    said = told(head, {"test_a": "test_a.py"}, packages=[tmp_path / SITE], python="other")
    assert Checkouts(head).judge(said, told(head, {"test_a": "test_a.py"})).reason is None


@pytest.mark.parametrize(("differing", "expected"), [(None, True), ("numpy", False), ("pytest", True)])
def test_two_environments_of_the_same_content_compare_nothing(
    head: Path, tmp_path: Path, differing: str | None, expected: bool
) -> None:
    said = []
    for name in ("old", "new"):
        site = tmp_path / name / SITE
        for module in ("numpy", "pytest"):
            (site / module).mkdir(parents=True)
            (site / module / "__init__.py").write_text(f"{name if module == differing else 'same'}")
        said.append(told(site, {"numpy": "numpy/__init__.py", "pytest": "pytest/__init__.py"}))
    reason = Checkouts(head).judge(said[0], said[1]).reason
    assert (reason is not None) is expected
    if expected:
        assert str(reason).startswith("both sides ran the same code: every module")


OLD, NEW = "old/lib/python3.11/site-packages", "new/lib/python3.11/site-packages"


def environments(folder: Path, *sides: dict[str, str], **more: Any) -> list[dict[str, Any]]:
    """Two sides that run one project, each with packages of its own: a version of each; ``1.0 x``: with content x."""
    found = []
    for site, packages in zip((OLD, NEW), sides, strict=True):
        files = {name: f"{name}/__init__.py" for name in packages}
        for name, content in packages.items():
            (folder / site / name).mkdir(parents=True)
            (folder / site / name / "__init__.py").write_text(content)
        versions = {name: content.partition(" ")[0] for name, content in packages.items()}
        found.append(told(folder / site, files, packages=[folder / site], versions=versions, **more))
    return found


@pytest.mark.parametrize(
    ("old", "new", "told_of_it"),
    [
        ({"onnxruntime": "1.20.1"}, {"onnxruntime": "1.24.1"}, "onnxruntime 1.20.1 → 1.24.1"),
        # Those of most bytes come first.
        (
            {"aa": "1.0", "onnxruntime": "1.20.1 " + "x" * 99, "numpy": "2.1.0 yyy"},
            {"aa": "1.1", "onnxruntime": "1.24.1 " + "x" * 99, "numpy": "2.3.5 yyy"},
            "onnxruntime 1.20.1 → 1.24.1, numpy 2.1.0 → 2.3.5, aa 1.0 → 1.1",
        ),
        (
            {f"p{number}": f"1.{number}" for number in range(6)},
            {f"p{number}": f"2.{number}" for number in range(6)},
            "p0 1.0 → 2.0, p1 1.1 → 2.1, p2 1.2 → 2.2, p3 1.3 → 2.3 and 2 others",
        ),
        ({"numpy": "1.0 one", "same": "1.0"}, {"numpy": "1.0 two", "same": "1.0"}, "numpy 1.0 with other contents"),
        ({"numpy": "1.0"}, {"numpy": "1.0", "ml_dtypes": "0.5"}, "ml_dtypes 0.5 (in head alone)"),
        ({"numpy": "1.0", "gone": "3"}, {"numpy": "1.0"}, "gone 3 (in base alone)"),
    ],
)
@pytest.mark.parametrize("checkouts", [1, 2])
def test_packages_that_differ_are_named_with_their_versions(
    base: Path, head: Path, old: dict[str, str], new: dict[str, str], told_of_it: str, checkouts: int
) -> None:
    sides = environments(head.parent, old, new)
    for folder, side in zip((base if checkouts == 2 else head, head), sides, strict=True):
        (folder / "test_a.py").write_text("one test")
        side["modules"]["test_a"] = str(folder / "test_a.py")
    ran = Checkouts(head, base if checkouts == 2 else None).judge(*sides)
    assert (ran.reason, ran.note) == (None, f"the project's files are the same, and other packages ran: {told_of_it}")


def test_where_the_projects_code_differs_too_it_is_not_said_to_be_the_same(base: Path, head: Path) -> None:
    sides = environments(head.parent, {"numpy": "2.1.0"}, {"numpy": "2.3.5"})
    for folder, side in zip((base, head), sides, strict=True):
        (folder / "test_a.py").write_text(f"in {folder.name}")
        side["modules"]["test_a"] = str(folder / "test_a.py")
    assert Checkouts(head, base).judge(*sides).note == "other packages ran: numpy 2.1.0 → 2.3.5"


def test_another_python_is_named(head: Path) -> None:
    old, new = environments(head.parent, {"numpy": "2.1.0"}, {"numpy": "2.1.0"})
    new["interpreter"][1] = "3.12.1 (main)"
    assert str(Checkouts(head).judge(old, new).note).endswith("other packages ran: Python 3.11.9 → 3.12.1")


def test_what_has_no_name_of_a_package_is_not_said_to_be_equal(head: Path) -> None:
    sides = environments(head.parent, {"_speed": "one"}, {"_speed": "two"})
    assert Checkouts(head).judge(*sides).note == "the project's files are the same"


def test_a_plugin_of_one_environment_is_not_named(head: Path) -> None:
    sides = environments(
        head.parent, {"numpy": "2.1.0"}, {"numpy": "2.3.5", "xdist": "3"}, plugins=["xdist", "xdist.plugin"]
    )
    assert str(Checkouts(head).judge(*sides).note).endswith("other packages ran: numpy 2.1.0 → 2.3.5")


IN_THE_PACKAGE = {"rests": "rests/__init__.py", "rests.test_a": "rests/test_a.py", "rests.core": "rests/core.py"}


@pytest.mark.parametrize(
    ("files", "tests", "installed", "expected"),
    [
        (IN_THE_PACKAGE, ["rests.test_a"], "rests/core.py", True),
        (IN_THE_PACKAGE, ["rests.test_a"], "rests/other.py", False),
        (
            {"rests.tests": "rests/tests/__init__.py", "rests.tests.test_a": "rests/tests/test_a.py", **IN_THE_PACKAGE},
            ["rests.tests.test_a"], "rests/core.py", True,
        ),
        (
            {"tests": "tests/__init__.py", "tests.test_a": "tests/test_a.py", "tests.help": "tests/help.py"},
            ["tests.test_a"], "tests/__init__.py", False,
        ),
    ],
)  # fmt: skip
def test_tests_in_a_package_that_another_python_has(
    head: Path, tmp_path: Path, files: dict[str, str], tests: list[str], installed: str, expected: bool
) -> None:
    site = tmp_path / SITE
    (site / installed).parent.mkdir(parents=True)
    (site / installed).touch()
    said = told(head, files, packages=[site], python="other", tests=tests)
    reason = Checkouts(head).judge(said, told(head, files, tests=tests)).reason
    assert (reason is not None) is expected
    if expected:
        assert "the tests lie in that package" in str(reason)


@pytest.mark.parametrize(("plugins", "expected"), [(["xdist", "_x.so"], True), ([], False)])
def test_a_plugin_of_one_environment_is_no_other_code(
    head: Path, tmp_path: Path, plugins: list[str], expected: bool
) -> None:
    site = tmp_path / SITE
    base = told(site, {"numpy": "numpy/__init__.py"})
    more = told(
        site, {"numpy": "numpy/__init__.py", "xdist": "xdist/__init__.py"}, ["xdist/_x.so"], plugins=plugins,
    )  # fmt: skip
    for said in ((base, more), (more, base)):
        assert (Checkouts(head).judge(*said).reason is not None) is expected


def test_what_this_process_has_imported() -> None:
    found = imported(["tests.test_b", __name__])
    assert found["modules"]["pytest"] == pytest.__file__
    assert found["versions"]["pytest"] == pytest.__version__
    assert found["tests"] == sorted({"conftest", "tests.test_b", __name__})
    assert all(Path(folder).is_dir() for folder in found["packages"])


def test_native_files_of_a_memory_map(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(
        "7f00-7f01 r--p 00000000 08:01 1   /a b/_speed.cpython-311-x86_64-linux-gnu.so\n"
        "7f01-7f02 r-xp 00001000 08:01 1   /a b/_speed.cpython-311-x86_64-linux-gnu.so\n"
        "7f02-7f03 r-xp 00001000 08:01 2   /lib/libc.so.6 (deleted)\n"
        "7f03-7f04 r-xp 00001000 08:01 3   /usr/bin/python3.11\n7f04-7f05 rw-p 00000000 00:00 0 \n"
    )
    assert native_files(maps) == ["/a b/_speed.cpython-311-x86_64-linux-gnu.so", "/lib/libc.so.6"]
    assert native_files(tmp_path / "nowhere") == []
