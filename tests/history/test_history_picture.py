"""The picture of a benchmark's history: what its axis says, and that its legend is no session."""

from pathlib import Path

import histories as saved
import pytest

from tailgate.history import histories
from tailgate.history.picture import draw, tick_texts


@pytest.mark.parametrize(
    ("dates", "texts"),
    [
        (["2026-11-29T23:50:00", "2026-11-30T00:10:00"], ["2026-11-29", "2026-11-30"]),
        (["2026-11-30T08:53:10", "2026-11-30T08:54:20"], ["2026-11-30", "08:54"]),
        (["2026-11-30T08:53:10", None, None], ["2026-11-30", "?", "?"]),
        ([], []),
    ],
)
def test_a_day_is_said_once(dates: list[str | None], texts: list[str]) -> None:
    assert tick_texts(dates) == texts


@pytest.mark.parametrize(("statuses", "legends"), [(["ok"] * 12, 0), (["ok"] * 11 + ["contended"], 1)])
def test_marks_of_one_kind_need_no_legend_and_others_have_it_outside(
    folder: Path, statuses: list[str], legends: int
) -> None:
    runs = [saved.saved_run(saved.bench("t.py::test_a", 1e-3, status=status)) for status in statuses]
    saved.write(folder, "epyc", runs)
    (found,) = histories(folder / "baselines", "epyc")
    figure = draw(found, found.benchmarks[0])
    assert figure.axes[0].get_legend() is None
    assert len(figure.legends) == legends
