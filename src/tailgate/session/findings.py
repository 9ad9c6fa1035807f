"""What a session found out beside its numbers: what was not measured and why, what to mind, and the last lines."""

import re
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field

NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?: ?(?:[nµum]?s|min|h|[kKMGT]i?B)\b)?")
"""With its unit: 999 µs and 1.2 ms are of one kind."""


@dataclass
class Findings:
    """Collected as benchmarks end; printed once, at the end."""

    selected: int = 0
    measured: int = 0
    unmeasured: list[dict[str, str]] = field(default_factory=list)
    """``fullname``, ``status`` and ``reason``, as the JSON has them."""
    remarks: list[str] = field(default_factory=list)
    _warnings: dict[str, tuple[str, list[str]]] = field(default_factory=dict)

    def warn(self, name: str, text: str) -> None:
        """Warn of a row; the same text for other rows, but for its numbers, is printed once."""
        self._warnings.setdefault(NUMBER.sub("#", text), (text, []))[1].append(name)

    def remark_once(self, line: str) -> None:
        """Print a line at the end of the run, once."""
        if line not in self.remarks:
            self.remarks.append(line)

    def not_measured(self, fullname: str, status: str, reason: str) -> None:
        """One benchmark without numbers, or whose test failed after measuring."""
        self.unmeasured.append({"fullname": fullname, "status": status, "reason": reason})

    def to_mind(self) -> list[str]:
        """Lines that a reader of the numbers must know."""
        lines = list(self.remarks)
        for text, names in self._warnings.values():
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            lines.append(f"Warning for {names[0]}{others}: {text}")
        return lines

    def nothing_measured(self) -> str:
        """The line that says so."""
        failed = sum(entry["status"] != "unsupported" for entry in self.unmeasured)
        every = "the only selected benchmark" if self.selected == 1 else f"all {self.selected} selected benchmarks"
        if failed == self.selected:
            return f"Nothing was measured: {every} failed."
        what = f"{failed} failed and the others" if failed else every
        return f"Nothing was measured: {what} {'was' if self.selected == 1 else 'were'} skipped."

    def reasons(self) -> list[str]:
        """Why benchmarks were not measured, each reason once."""
        counts = Counter(entry["reason"] for entry in self.unmeasured)
        return [f"  {count} x {reason}" for reason, count in counts.items()]


def never_measured(marked: Iterable[str], measured: Container[str]) -> list[str]:
    """One line on tests that have the marker ``benchmark`` and made no measurement; none where there are none."""
    names = [name for name in marked if name not in measured]
    if not names:
        return []
    more = f" and {len(names) - 1} more" if names[1:] else ""
    return [
        f"Warning for {names[0]}{more}: marked benchmark, but nothing was measured, because the test does not use the "
        "fixture; write def test_...(benchmark) and call benchmark(function)"
    ]
