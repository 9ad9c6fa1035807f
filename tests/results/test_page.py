"""The HTML page without a browser: what is in it, what may run in it, and what it does with odd runs."""

import base64
import copy
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drawn_runs import HOSTILE, Page, cell, run

from tailgate.commands import main as cli
from tailgate.results.pages import charts, html
from tailgate.results.pages.charts import KINDS, energy, latency, load, precision, threads, tradeoff
from tailgate.results.pages.sections import NotDrawn, Section

TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "ul", "li", "p", "code", "div", "table",
    "thead", "tbody", "tr", "th", "td", "section", "figure", "figcaption", "form", "label", "input", "select", "option",
    "output", "pre", "details", "summary", "wbr", "dl", "dt", "dd", "script",
    "svg", "g", "defs", "path", "use", "text", "desc", "clippath", "rect", "pattern",
}  # fmt: skip


@pytest.fixture(scope="module")
def text() -> str:
    return html.render([run()])


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_verdicts_come_first_then_disturbances_pictures_results_and_how_to_measure_again(page: Page) -> None:
    assert page.texts["h2"] == [
        "Verdicts: 1 fail, 1 pass", "Disturbed or not measured: 1 contended, 1 oom", "Latency distributions",
        "Thread scaling", "Latency against throughput", "Precision: speed against error", "Under load", "Energy",
        "Results", "Measure again",
    ]  # fmt: skip
    assert page.unbalanced == []
    assert {tag for tag, _ in page.elements} <= TAGS


def test_every_row_is_in_the_table_with_the_numbers_to_sort_it_by(page: Page) -> None:
    rows = len(run()["benchmarks"]) + 1
    assert page.texts["table"][2].count("test_x.py::") + page.texts["table"][2].count("test_it.py::") == rows
    values = [float(value) for one in page.all("td") if (value := one.get("data-v")) is not None]
    assert {0.01, 0.05} <= set(values)  # a median in seconds, and the change of a verdict
    assert len(values) > 3 * rows


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else(page: Page, text: str) -> None:
    (policy,) = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    attributes = {name for _, one in page.elements for name in one}
    assert "style" not in attributes
    assert not [name for name in attributes if name.startswith("on")]


def test_nothing_is_fetched(page: Page) -> None:
    for _, attributes in page.elements:
        assert not {"src", "action", "formaction", "data", "xlink:href"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
    assert "@import" not in page.texts["style"][0]
    assert "url(" not in page.texts["style"][0]


def test_names_in_the_page_are_unique_and_every_reference_leads_somewhere(page: Page) -> None:
    names = [one["id"] for _, one in page.elements if "id" in one]
    assert len(names) == len(set(names))
    values = [value or "" for _, one in page.elements for value in one.values()]
    referred = {(one["href"] or "").removeprefix("#") for _, one in page.elements if "href" in one}
    referred |= {found for value in values for found in re.findall(r"url\(#([^)]+)\)", value)}
    assert referred <= set(names)
    labels = [name for one in page.all("svg") for name in (one["aria-labelledby"] or "").split()]
    assert set(labels) <= set(names)


def test_pictures_follow_the_page_into_the_dark_and_say_in_words_what_they_show(page: Page, text: str) -> None:
    pictures = page.all("svg")
    assert len(pictures) == len(page.all("figure")) >= len(KINDS)
    assert all(one["role"] == "img" and one["viewbox"] for one in pictures)
    assert len(page.texts["desc"]) == len(pictures)
    assert any("saturated from" in said or "not saturated" in said for said in page.texts["desc"])
    used = {one.get(name) for _, one in page.elements for name in ("fill", "stroke")}
    assert "currentColor" in used
    assert not {"#000000", "#222222", "#ffffff", "#dddddd"} & used


def test_the_command_that_measures_again_is_there(page: Page) -> None:
    assert page.texts["pre"] == ["pytest NAME --protocol=quick -m 'not slow'"]
    assert "usable_cpus" in page.texts["dt"]


def test_names_are_text_wherever_they_stand() -> None:
    hostile = run()
    for bench in hostile["benchmarks"]:
        bench["name"], bench["fullname"] = (f"{HOSTILE}{bench[key]}" for key in ("name", "fullname"))
        bench["extra_info"] |= {"model": HOSTILE, "runtime": HOSTILE, "status": HOSTILE, "warnings": [HOSTILE * 200]}
    page = Page(html.render([hostile]))
    assert page.unbalanced == []
    assert {tag for tag, _ in page.elements} <= TAGS
    assert len(page.all("script")) == 1
    assert "<script>alert(1)</script>" in "".join(page.texts["text"])
    assert max(map(len, page.texts["td"])) < 400


def test_what_rows_were_measured_for_and_lack_stands_in_its_place() -> None:
    made = run()
    for bench in made["benchmarks"]:
        bench["extra_info"].update(output_error_rel=None, energy_per_item_j=None, energy_source="nvml")
    page = Page(html.render([made]))
    assert {"Precision: speed against error", "Energy"} <= set(page.texts["h2"])
    assert "Not drawn: no row of reduced precision has output_error_rel and an fp32 partner." in page.texts["p"]
    assert "summary" in page.texts
    assert not any("not measured for" in one for one in page.texts["summary"])


NO_TAILS = dict.fromkeys(("p99", "p99_low", "p99_high", "throughput"))
WITHOUT: list[tuple[Any, Callable[[dict[str, Any]], object], str]] = [
    (latency, lambda one: one["stats"].pop("data", None), "no row has 5 raw rounds; save them with"),
    (threads, lambda one: one["extra_info"].pop("threads", None), "no benchmark was measured at two thread counts"),
    (threads, lambda one: one["stats"].update(NO_TAILS), "no benchmark was measured at two thread counts"),
    (precision, lambda one: one["extra_info"].pop("precision", None), "no row of reduced precision"),
    (precision, lambda one: one["extra_info"].update(output_error_rel="?"), "no row of reduced precision"),
    (tradeoff, lambda one: one["extra_info"].update(items_per_call=1), "no model or test has three rows"),
    (tradeoff, lambda one: one["stats"].update(NO_TAILS), "no model or test has three rows"),
    (load, lambda one: one["extra_info"].clear(), "no row is under load; measure one with --load"),
    (energy, lambda one: one["extra_info"].update(energy_per_item_j=None), "no row has energy_per_item_j"),
]


@pytest.mark.parametrize(("kind", "change", "reason"), WITHOUT)
def test_what_cannot_be_drawn_says_why(kind: Any, change: Callable[[dict[str, Any]], object], reason: str) -> None:
    made = run()
    for bench in made["benchmarks"]:
        change(bench)
    found = kind.section(made)
    assert isinstance(found, NotDrawn)
    assert found.reason.startswith(reason)


def test_a_picture_that_fails_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def section(_: object) -> Section | NotDrawn:
        raise OverflowError("too\nlarge")

    monkeypatch.setattr(charts, "KINDS", [latency, threads])
    monkeypatch.setattr(latency, "section", section)
    page = Page(html.render([run()]))
    assert "Not drawn: drawing failed: OverflowError: too large." in page.texts["p"]
    assert "Latency distributions" in page.texts["h2"]
    assert "Thread scaling" in page.texts["h2"]


def test_two_runs_of_two_machines_stand_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "KINDS", [latency])
    other = copy.deepcopy(run())
    other["machine_info"]["fingerprint_id"] = "beef"
    page = Page(html.render([run(), other]))
    assert len(page.texts["h1"]) == len(page.all("form")) == 2
    assert "machine beef" in page.texts["li"]
    names = [one["id"] for _, one in page.elements if "id" in one]
    assert len(names) == len(set(names))


def test_many_groups_are_drawn_as_far_as_a_page_holds_them() -> None:
    made = run()
    made["benchmarks"] = [cell(model=f"model{number}", rounds=20) for number in range(30)]
    section = latency.section(made)
    assert isinstance(section, Section)
    assert len(section.panels) == 12
    assert section.left_out == "12 of 30 groups are drawn, those with most rows; the table has all."


NO_MATPLOTLIB = """
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "matplotlib" else real(name, *rest)
from tailgate.commands.main import main
code = main(sys.argv[1:])
assert "matplotlib" not in sys.modules
sys.exit(code)
"""


def test_without_matplotlib_the_page_has_its_tables_and_says_how_to_get_pictures(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(run()))
    command = [sys.executable, "-c", NO_MATPLOTLIB, "report", "run.json", "--format=html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    page = Page(done.stdout)
    assert "Not drawn: matplotlib is not installed; install it with: pip install 'matplotlib>=3.8'." in page.texts["p"]
    assert not page.all("svg")
    assert len(page.all("table")) == 3


def test_a_run_of_plain_pytest_benchmark_has_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a project has pictures of its own
    stats = {"min": 1.0, "max": 3.0, "mean": 2.0, "stddev": 0.5, "median": 2.0, "rounds": 3}
    plain = {"benchmarks": [{"name": "test_a", "fullname": "t.py::test_a", "stats": stats}], "version": "4.0.0"}
    (tmp_path / "run.json").write_text(json.dumps(plain))
    assert cli.main(["report", str(tmp_path / "run.json"), "--format=html"]) == 0
    page = Page(capsys.readouterr().out)
    assert page.texts["h2"] == [
        "Verdicts: nothing was compared", "Latency distributions", "Results", "Measure again"
    ]  # fmt: skip
    assert "Pictures that these rows were not measured for: 5" in page.texts["summary"]
    assert any(one.startswith("Energy: no row has energy_per_item_j; on an") for one in page.texts["li"])
    assert any("saved without Tailgate" in one for one in page.texts["p"])
