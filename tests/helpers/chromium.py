"""Headless Chromium for the pages that Tailgate writes, and axe-core's judgement of them.

It needs Debian's ``chromium`` and ``chromium-driver``, ``pip install selenium``, and for the rules of accessibility
``AXE_CORE=.../axe.min.js`` of the npm package axe-core. ``SCREENSHOTS=DIR`` keeps pictures of the pages.
"""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

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
TAILGATE = "import sys; from tailgate.commands.main import main; sys.exit(main())"
PAINT = """
const told = arguments[0], name = "first-contentful-paint";
new PerformanceObserver((list) => list.getEntriesByName(name).forEach((one) => told(one.startTime)))
  .observe({type: "paint", buffered: true});
"""


@contextmanager
def started(folder: Path) -> Iterator[Any]:
    """Chromium with a profile of its own in ``folder``, whose requests and console are logged."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


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


def judge(browser: Any, name: str, report: Callable[[str], None]) -> None:
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
