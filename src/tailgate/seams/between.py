"""pytest-benchmark's views of saved runs: names are printable, and a row that cannot be compared is named."""

from collections.abc import Iterable, Sequence
from typing import Any

from tailgate.text import printable

Bench = dict[str, Any]
NAMES = ("name", "fullname", "source")


def printable_names(groups: Iterable[tuple[Any, Sequence[Bench]]]) -> list[tuple[Any, Sequence[Bench]]]:
    """The same groups with printable names: a file may hold anything, and a test id nearly so."""
    found = list(groups)
    for _, benchmarks in found:
        for bench in benchmarks:
            bench.update({key: printable(bench[key]) for key in NAMES if isinstance(bench.get(key), str)})
    return found


class Between:
    """Mixed in before ``CompareBetweenResults``: a group that only one run has becomes a line, not an error."""

    def display(self, tr: Any, groups: Any, *args: Any, **kwargs: Any) -> None:
        """The tables, then what they lack."""
        every = printable_names(groups)
        comparable = [(group, rows) for group, rows in every if len(_sources(rows)) > 1]
        super().display(tr, comparable, *args, **kwargs)  # type: ignore[misc]  # of the class beside this one
        for _, rows in every:
            if len(_sources(rows)) == 1:
                names = ", ".join(dict.fromkeys(bench["fullname"] for bench in rows))
                tr.write_line(f"Only in {rows[0].get('source') or 'one run'}: {names}", yellow=True)


def _sources(rows: Sequence[Bench]) -> set[str]:
    return {bench.get("source") or "" for bench in rows}
