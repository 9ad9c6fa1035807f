"""The history's site in a real browser: a large one is small and quick enough, and everybody can use it.

Run by hand, ``pytest benchmarks/instrument/test_history_in_browser.py -m instrument``; ``tests/helpers/chromium.py``
says what it needs.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import histories as saved  # type: ignore[import-not-found]  # of tests/helpers
import pytest
from chromium import (  # type: ignore[import-not-found]
    PAINT,
    SIZES,
    TAILGATE,
    THEMES,
    judge,
    looks,
    requested,
    started,
)

pytestmark = [pytest.mark.instrument, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
BENCHMARKS, SESSIONS = 500, 200
Report = Callable[[str], None]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """Chromium, for one test."""
    with started(tmp_path) as driver:
        yield driver


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
