"""A saved run with something for every picture of a page, made up, and what a reader finds in a page."""

import random
from html.parser import HTMLParser
from typing import Any

from histories import MACHINE, saved_run
from loads import RATES, loaded

from tailgate.results.columns import complete

HOSTILE = "=1+1,\"'\n\x1b[31m\u202e<script>alert(1)</script>$x^2$|[a](http://x)"


def cell(
    threads: int = 1,
    batch: int = 1,
    precision: str = "fp32",
    *,
    model: str = "resnet18",
    rounds: int = 400,
    **info: Any,
) -> dict[str, Any]:
    """One row with raw rounds, its time made up from what it is of."""
    name = f"test_model[{model}-{precision}-t{threads}-b{batch}]"
    draw = random.Random(name)
    median_s = 0.01 * batch**0.9 / threads**0.7 / (2 if precision == "int8" else 1)
    data = sorted(median_s * draw.lognormvariate(0, 0.1) for _ in range(rounds))
    draw.shuffle(data)
    stats = {"min": min(data), "max": max(data), "mean": median_s, "median": median_s, "stddev": 0.0}
    stats |= {"rounds": rounds, "iterations": 1, "data": data}
    known = {"study": "x", "model": model, "runtime": "onnxruntime", "precision": precision, "threads": threads}
    known |= {"batch_size": batch, "items_per_call": batch, "status": "ok", "warnings": [], "device": "cpu"}
    if precision != "fp32":
        known["output_error_rel"] = 0.02
    known |= info
    stats = complete(stats, known)
    return {"name": name, "fullname": f"test_x.py::{name}", "group": None, "stats": stats, "extra_info": known}


def run(*more: dict[str, Any], **top: Any) -> dict[str, Any]:
    """Rows for distributions, scaling, trade-off, precision, energy and load, and one that was not measured."""
    cells = [cell(t, b, p) for p in ("fp32", "int8") for b in (1, 4) for t in (1, 2, 4)]
    cells[0]["extra_info"] |= {"energy_per_item_j": 0.5, "energy_uncertainty_rel": 0.1}
    cells[1]["extra_info"] |= {"status": "contended", "warnings": ["contended: other processes used 0.9 of 2 CPUs"]}
    loads = [loaded(rate, load_limit="p99=50ms") for rate in RATES]
    gone = [{"fullname": "test_x.py::test_gone", "status": "oom", "reason": "oom: 2 GB"}]
    verdict = {"fullname": cells[0]["fullname"], "metric": "median", "verdict": "fail", "change_rel": 0.05}
    gate = {"failed": True, "verdicts": [verdict, {**verdict, "verdict": "pass", "fullname": cells[2]["fullname"]}]}
    how = {"command_options": ["--protocol=quick", "-m", "not slow"]}
    made: dict[str, Any] = saved_run(*cells, *loads, *more, machine={**MACHINE, "usable_cpus": 2})
    return {**made, "unmeasured": gone, "tailgate_gate": gate, "tailgate_run": how, **top}


class Page(HTMLParser):
    """Its elements in order, the text in each kind, and every attribute."""

    VOID = frozenset({"meta", "input", "br", "link", "img", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such element."""
        return [attributes for name, attributes in self.elements if name == tag]
