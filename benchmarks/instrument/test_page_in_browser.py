"""The HTML page in a real browser: it sorts, filters, prints, fetches nothing, and everybody can use it.

Run by hand, ``pytest benchmarks/instrument/test_page_in_browser.py -m instrument``; ``tests/helpers/chromium.py`` says
what it needs.
"""

import base64
import copy
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import (  # type: ignore[import-not-found]  # of tests/helpers
    PAINT,
    SIZES,
    TAILGATE,
    THEMES,
    judge,
    looks,
    requested,
    started,
)
from drawn_runs import HOSTILE, cell, run  # type: ignore[import-not-found]

from tailgate.results.pages import html

pytestmark = [pytest.mark.instrument, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
ROWS, ROUNDS = 10_000, 200
MAKER = Path(__file__).with_name("saved_runs.py")
ERRORS = "return window.errors ? window.errors.length : 0"
Report = Callable[[str], None]
Open = Callable[[str], Any]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Chromium, for one test."""
    with started(tmp_path) as driver:
        yield driver


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens a page from disk; at the end the console is empty, and the page alone was asked for."""

    def open_(text: str) -> Any:
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf8")
        browser.get(file.as_uri())
        return browser

    yield open_
    assert browser.get_log("browser") == []
    assert requested(browser) == {(tmp_path / "page.html").as_uri()}


def column(browser: Any, index: int) -> list[str]:
    """The shown cells of the results' column."""
    script = (
        "return [...document.querySelector('table.results').tBodies[0].rows].filter((row) => !row.hidden)"
        ".map((row) => row.cells[arguments[0]].dataset.v ?? row.cells[arguments[0]].textContent)"
    )
    found: list[str] = browser.execute_script(script, index)
    return found


def click(browser: Any, selector: str) -> None:
    """As a keyboard does it."""
    browser.execute_script("document.querySelector(arguments[0]).focus(); document.activeElement.click()", selector)


def type_(browser: Any, selector: str, value: str) -> None:
    """A value, and the event that a reader causes with it."""
    browser.execute_script(
        "const one = document.querySelector(arguments[0]); one.value = arguments[1];"
        "one.dispatchEvent(new Event('input', {bubbles: true}))", selector, value,
    )  # fmt: skip


def test_a_table_sorts_both_ways_and_says_so(opened: Open) -> None:
    """What has no number stands last, either way."""
    browser = opened(html.render([run()]))
    head = "table.results th:nth-child(3)"
    for order in ("ascending", "descending"):
        click(browser, f"{head} button")
        assert browser.find_element("css selector", head).get_attribute("aria-sort") == order
        *numbers, last = column(browser, 2)
        assert last == ""
        values = [float(one) for one in numbers]
        assert values == sorted(values, reverse=order == "descending")


def test_a_table_filters_by_words_and_by_status(opened: Open) -> None:
    """And counts what it shows."""
    browser = opened(html.render([run()]))
    type_(browser, "input[name=text]", "INT8 t4")
    assert len(found := column(browser, 0)) == 2
    assert all("int8-t4" in one for one in found)
    assert browser.find_element("css selector", "output").text == f"2 of {len(run()['benchmarks']) + 1} rows"
    type_(browser, "input[name=text]", "")
    type_(browser, "select[name=status]", "contended")
    assert column(browser, 1) == ["contended"]


def test_hostile_names_are_text(opened: Open) -> None:
    """Nothing of them runs, and they are there."""
    hostile = run()
    for bench in hostile["benchmarks"]:
        bench["fullname"] = f"{HOSTILE}<img src=x onerror='window.errors=[1]'>{bench['fullname']}"
        bench["extra_info"] |= {"model": HOSTILE, "runtime": HOSTILE, "warnings": ["</script><b>bold</b>"]}
    browser = opened(html.render([hostile]))
    assert browser.execute_script(ERRORS) == 0
    assert browser.execute_script("return document.scripts.length + document.images.length") == 1
    assert all("<script>alert(1)</script>" in one for one in column(browser, 0)[:-1])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
def test_everybody_can_use_it(opened: Open, report: Report, size: str, theme: str) -> None:
    """No rule of axe-core is broken, and a phone shows the page's whole width."""
    browser = opened(html.render([run()]))
    looks(browser, size, theme)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= SIZES[size][0]
    judge(browser, f"{size}-{theme}", report)


def test_it_prints(opened: Open, report: Report) -> None:
    """To PDF, every row."""
    browser = opened(html.render([run(*(cell(1, batch, model="mlp", rounds=20) for batch in range(1, 700)))]))
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    report(f"719 rows: {printed.count(b'/Type /Page')} pages, {len(printed) / 1e6:.1f} MB of PDF")
    assert printed.startswith(b"%PDF")
    assert len(column(browser, 0)) == len(browser.find_elements("css selector", "table.results tbody tr"))


def test_a_large_run(browser: Any, report: Report, tmp_path: Path) -> None:
    """10,000 rows with raw rounds: size, time and memory of making the page, and the browser's first paint."""
    subprocess.run([sys.executable, MAKER, tmp_path, str(ROWS), str(ROUNDS)], check=True)
    command = [sys.executable, "-c", TAILGATE, "report", "base.json", "--format=html", "--output=page.html"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    size_mb = (tmp_path / "page.html").stat().st_size / 1e6
    start_s = time.perf_counter()
    browser.get((tmp_path / "page.html").as_uri())
    loaded_s = time.perf_counter() - start_s
    painted_s = browser.execute_async_script(PAINT) / 1e3
    start_s = time.perf_counter()
    click(browser, "table.results th:nth-child(3) button")
    browser.execute_script("return document.body.offsetHeight")
    sorted_s = time.perf_counter() - start_s
    made_s = used.ru_utime + used.ru_stime
    report(
        f"{ROWS} rows of {ROUNDS} rounds: {size_mb:.1f} MB (target 15), made in {made_s:.1f} s of CPU (20) with "
        f"{used.ru_maxrss / 1024:.0f} MB (1,000), first paint after {painted_s:.2f} s (2), loaded "
        f"after {loaded_s:.1f} s, sorted in {sorted_s:.2f} s (1)"
    )
    assert size_mb < 15


def test_two_runs_have_their_own_filters(opened: Open) -> None:
    """Of two machines."""
    other = copy.deepcopy(run())
    other["machine_info"]["fingerprint_id"] = "beef"
    browser = opened(html.render([run(), other]))
    type_(browser, "form[data-filters=run2-results] input", "int8")
    rows = "return document.querySelectorAll('#run{}-results tbody tr:not([hidden])').length"
    assert browser.execute_script(rows.format(1)) > browser.execute_script(rows.format(2)) > 0
