"""A pull request's comment: what it shows first, what it folds, how long it gets, and that no name in it is obeyed."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tailgate.results.comment import MARKER, MOST_BYTES, comment
from tailgate.results.explanation import Explanation, Row, Side
from tailgate.results.explanation_text import Table, table
from tailgate.results.operator_matching import SAME, Matched
from tailgate.results.operators import Operator
from tailgate.results.verdict import Verdict
from tailgate.stats.decision import FAIL, IMPROVED, MISSING, NEW, PASS, UNDECIDED

GITHUBS_LIMIT = 65_536
READER = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
OBEYED = "a|b\n@octocat #1 GH-2 [x](http://x) <img src=x> `c` ![y](z) www.example.org </details> <!-- x"


def verdict(name: str = "t.py::test_a", kind: str = PASS, **more: object) -> Verdict:
    return Verdict(name, "median", kind, base=1e-3, head=1.1e-3, change_rel=0.1, replicates=8, worse=8, **more)  # type: ignore[arg-type]


def test_what_somebody_has_to_look_at_comes_first_and_the_rest_is_folded() -> None:
    found = [verdict(f"t.py::test_{kind}", kind) for kind in (PASS, NEW, FAIL, IMPROVED, UNDECIDED, MISSING)]
    lines = comment(found, "main").splitlines()
    assert lines[:4] == [MARKER, "**1 fail, 1 missing, 1 undecided, 1 improved, 1 pass, 1 new**", "against main", ""]
    kinds = [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith("| ")]
    assert kinds == ["verdict", "---", FAIL, MISSING, UNDECIDED, "verdict", "---", IMPROVED, PASS, NEW]
    assert [line.split()[1] for line in lines if line.startswith("- ")] == ["t.py::test_fail", "t.py::test_missing"]
    assert "<details><summary>1 improved, 1 pass, 1 new</summary>" in lines
    assert lines[-1] == "</details>"


def operators(name: str = "test_a", operator: str = "Conv_12", rows: int = 1, reason: str | None = None) -> Table:
    """As ``tailgate duet`` has it, of six pairs."""
    listed = tuple(
        Row(
            Matched(SAME, (one := (Operator(f"{operator}{index or ''}", operator, operator),)), one),
            (0.01,) * 6, tuple(0.011 + 1e-6 * pair for pair in range(6)),
        )
        for index in range(rows)
    )  # fmt: skip
    side = Side(f"{operator}'s profiler", 0.02, 0.021)
    return table(name, Explanation(listed, side, side, (reason,) if reason else (), 6, 12.0), 0.05, 10)


def test_the_operators_to_blame_stand_folded_below_the_verdicts() -> None:
    found = [verdict("t.py::test_a", FAIL), verdict("t.py::test_b", PASS)]
    lines = comment(found, "main", [operators()]).splitlines()
    opened = [line for line in lines if line.startswith("<details>")]
    assert opened == [
        "<details><summary>test_a +5.0 %, of which Conv_12 +5.0 %, rest -0.0 % unexplained</summary>",
        "<details><summary>1 pass</summary>",
    ]
    at = lines.index(opened[0])
    assert lines.index("") < next(index for index, line in enumerate(lines) if line.startswith("- t.py::test_a")) < at
    assert lines[at + 2].startswith("| operator | kind | shapes | base | head | part of the change |")
    assert lines[at + 4].startswith("| Conv_12 | Conv_12 | Conv_12 | 10 ms | 11 ms | +5.0 % |")
    assert lines[at + 7].startswith("operator times by Conv_12's profiler, in 6 pairs of processes of their own")
    assert lines[at + 9 : at + 12] == ["</details>", "", opened[1]]


def test_why_there_are_no_operators_is_said() -> None:
    text = comment([verdict(kind=FAIL)], "main", [operators(rows=0, reason="no operator times: it was interrupted")])
    assert "<summary>test_a +5.0 %, no operator times: it was interrupted</summary>" in text
    assert text.count("| operator |") == 0
    assert text.endswith("\n\n</details>\n")


@pytest.mark.parametrize(("length", "count"), [(1, 300), (2_000, 200), (70_000, 3)])
def test_operators_make_it_no_longer_than_github_takes(length: int, count: int) -> None:
    explained = [operators("é" * length, "ü" * length, rows=30) for _ in range(count)]
    text = comment([verdict(kind=FAIL)], "main", explained)
    assert len(text.encode()) < GITHUBS_LIMIT - 200
    assert text.count("<details>") == text.count("</details>")
    assert "- t.py::test_a" in text, "the verdicts come first"
    rows = sum(len(one.rows) for one in explained)
    kept = sum(line.startswith(("| ü", "| 20 more operators", "| all operators")) for line in text.splitlines())
    left_out = re.search(r"^(\d+) lines? left out", text, re.MULTILINE)
    assert kept + (int(left_out[1]) if left_out else 0) == rows


def test_where_all_pass_there_is_one_folded_table() -> None:
    text = comment([verdict(), verdict("t.py::test_b")], "main")
    assert text.count("| verdict |") == 1
    assert text.startswith(f"{MARKER}\n**2 pass**\nagainst main\n\n\n<details>")


def test_nothing_compared_is_said() -> None:
    assert comment([], "main") == f"{MARKER}\n**nothing was compared**\nagainst main\n\n"


@pytest.mark.parametrize(("length", "count"), [(1, 800), (40, 800), (10_000, 8), (70_000, 2)])
@pytest.mark.parametrize("kind", [PASS, FAIL])
def test_it_is_never_longer_than_github_takes(length: int, count: int, kind: str) -> None:
    found = [verdict("é" * length + str(index), kind, reason="r" * length) for index in range(count)]
    text = comment(found, "main")
    assert len(text.encode()) < GITHUBS_LIMIT - 200
    rows = [line for line in text.splitlines() if line.startswith(("- ", f"| {kind}"))]
    total = count if kind == PASS else 2 * count
    left_out = re.search(r"^(\d+) lines? left out", text, re.MULTILINE)
    assert len(rows) + (int(left_out[1]) if left_out else 0) == total
    assert text.count("<details>") == text.count("</details>")


def test_one_row_that_is_too_long_leaves_room_for_the_others() -> None:
    text = comment([verdict("x" * MOST_BYTES, FAIL), verdict("t.py::test_b", FAIL)], "main")
    assert "test_b" in text
    assert "2 lines left out" in text


HOSTILE = st.text(alphabet="ab1 |`@#<>!&[]()*_~\\:/.\n\x1b\u202e", max_size=20)


@settings(deadline=None)
@given(st.one_of(st.just(OBEYED), HOSTILE), st.sampled_from([PASS, FAIL]))
def test_no_name_is_obeyed(name: str, kind: str) -> None:
    text = comment([verdict(name, kind, reason=name, notes=(name,), reproduce=name)], name)
    check(text, rows=2)


@settings(deadline=None)
@given(st.one_of(st.just(OBEYED), HOSTILE), st.booleans())
def test_no_operator_is_obeyed(name: str, told: bool) -> None:
    check(comment([], name, [operators(name, name, reason=None if told else name)]), rows=3 if told or not name else 2)


def check(text: str, rows: int) -> None:
    """What is shown is text: no tag but ours, no mention, no row too many."""
    page = READER.render(text)
    allowed = "p strong table thead tbody tr th td ul li details summary"
    assert {tag.lstrip("/") for tag in re.findall(r"<(/?[A-Za-z]\w*)", page)} <= set(allowed.split())
    assert page.count("<!--") == 1
    assert page.count("<tr>") == rows
    shown = html.unescape(re.sub(r"<[^>]+>", "", page))  # GitHub looks for mentions in this
    assert not re.search(r"@\w|#\d|GH-\d", shown)
