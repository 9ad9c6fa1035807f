"""The HTML page in a real browser: it sorts, filters, prints, fetches nothing, and everybody can use it.

Run by hand, ``pytest benchmarks/instrument/test_page_in_browser.py -m instrument``. It needs Debian's ``chromium`` and
``chromium-driver``, ``pip install selenium``, and for the rules of accessibility ``AXE_CORE=.../axe.min.js`` of the npm
package axe-core. ``SCREENSHOTS=DIR`` keeps pictures of the page.
"""

import base64
import copy
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import histories as saved  # type: ignore[import-not-found]  # of tests/helpers
import pytest
from drawn_runs import HOSTILE, cell, run  # type: ignore[import-not-found]

from tailgate.results.pages import html

pytestmark = [pytest.mark.instrument, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
webdriver = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
DRIVER = shutil.which("chromedriver")
if DRIVER is None or shutil.which("chromium") is None:
    pytest.skip("apt-get install chromium chromium-driver", allow_module_level=True)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZES = {"desk": (1400, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
ROWS, ROUNDS = 10_000, 200
BENCHMARKS, SESSIONS = 500, 200
MAKER = Path(__file__).with_name("saved_runs.py")
TAILGATE = "import sys; from tailgate.commands.main import main; sys.exit(main())"
ERRORS = "return window.errors ? window.errors.length : 0"
PAINT = """
const told = arguments[0], name = "first-contentful-paint";
new PerformanceObserver((list) => list.getEntriesByName(name).forEach((one) => told(one.startTime)))
  .observe({type: "paint", buffered: true});
"""
Report = Callable[[str], None]
Open = Callable[[str], Any]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Chromium with a profile of its own, whose requests and console are logged."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


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


def requested(browser: Any) -> set[str]:
    """What a page from disk asked for since the last call; the browser's own pages are not ours."""
    asked = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
    requests = [one["params"] for one in asked if one["method"] == "Network.requestWillBeSent"]
    return {one["request"]["url"] for one in requests if one["documentURL"].startswith("file:")}


def looks(browser: Any, size: str, theme: str) -> None:
    """A window of this size, for a reader with this theme."""
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


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


def judge(browser: Any, name: str, report: Report) -> None:
    """By axe-core's rules; before, its picture is kept."""
    if folder := os.environ.get("SCREENSHOTS"):
        keep(browser, Path(folder) / f"{name}.png")
    if "AXE_CORE" not in os.environ:
        pytest.skip("AXE_CORE names no axe.min.js; npm pack axe-core")
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    browser.refresh()
    browser.execute_script(Path(os.environ["AXE_CORE"]).read_text())
    found = browser.execute_async_script("axe.run().then(arguments[0])")
    report(f"{name}: {len(found['passes'])} rules of axe-core passed, {len(found['violations'])} broken")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []


def keep(browser: Any, file: Path) -> None:
    """A picture of the whole page."""
    size = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    file.write_bytes(base64.b64decode(shot["data"]))


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
        f"after {loaded_s:.1f} s, sorted in {sorted_s:.2f} s"
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The history of many benchmarks; every tenth becomes 5 % slower in the middle."""
    folder = tmp_path_factory.mktemp("history")
    names = [f"test_it.py::test_lookup[{number}]" for number in range(BENCHMARKS)]
    medians = saved.scattered(SESSIONS)
    runs = [
        saved.saved_run(*(saved.bench(name, median_s * (1 + 0.05 * (place % 10 == 0 and index >= SESSIONS // 2)))
                    for place, name in enumerate(names)))
        for index, median_s in enumerate(medians)
    ]  # fmt: skip
    saved.write(folder, "nightly", runs)
    subprocess.run([sys.executable, "-c", TAILGATE, "history", "nightly", "--html=site"], cwd=folder, check=True)
    made: Path = folder / "site"
    return made


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", ["index", "test_lookup_0"])
def test_everybody_can_use_a_large_history(
    browser: Any, report: Report, site: Path, page: str, size: str, theme: str
) -> None:
    """Its index and a benchmark's page: size, first paint, nothing fetched, no rule of axe-core broken."""
    looks(browser, size, theme)
    browser.get((site / f"{page}.html").as_uri())
    size_mb = sum(one.stat().st_size for one in site.iterdir()) / 1e6
    painted_s = browser.execute_async_script(PAINT) / 1e3
    report(f"history, {page}: site of {size_mb:.1f} MB (target 20), first paint after {painted_s:.2f} s (target 1)")
    assert size_mb < 20
    assert browser.execute_script("return document.documentElement.scrollWidth") <= SIZES[size][0]
    assert browser.get_log("browser") == []
    assert requested(browser) == {(site / f"{page}.html").as_uri()}
    judge(browser, f"history-{page}-{size}-{theme}", report)
