"""The training loop by a clock of its own: what counts, what each second is called, and when a run has diverged."""

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.training.loop import Loop, facts
from tailgate.errors import NotMeasuredError


class Clock:
    """Moves only when something takes time."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


class Loader:
    def __init__(self, clock: Clock, sizes: list[int], waits_s: list[float]) -> None:
        self._clock = clock
        self._batches = iter(zip(sizes, waits_s, strict=True))

    def __next__(self) -> tuple[str, list[int]]:
        size, wait_s = next(self._batches)
        self._clock.s += wait_s
        return "images", [0] * size


class Steps:
    def __init__(self, clock: Clock, steps_s: list[float], losses: list[float], *, finite: bool = True) -> None:
        self._clock, self._steps_s, self._losses, self._finite = clock, iter(steps_s), iter(losses), finite

    def placed(self, images: Any, labels: Any) -> tuple[Any, Any, float | None]:
        return images, labels, None

    def step(self, images: Any, labels: Any) -> None:
        self._clock.s += next(self._steps_s)

    def step_device_s(self) -> float | None:
        return None

    def loss(self) -> float:
        return next(self._losses)

    def weights_are_finite(self) -> bool:
        return self._finite


class Watch:
    """Takes time too, which is nobody's wait and nobody's step."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.started, self.sampled = clock, 0, 0

    def start(self) -> None:
        self._clock.s += 1000.0
        self.started += 1

    def sample(self) -> None:
        self._clock.s += 0.25
        self.sampled += 1


def run(sizes: list[int], waits_s: list[float], steps_s: list[float], losses: list[float], warmup: int) -> Loop:
    clock = Clock()
    loop = Loop(Loader(clock, sizes, waits_s), Steps(clock, steps_s, losses), Watch(clock), warmup, clock)
    for _ in sizes:
        (images, labels), _ = loop.next_batch()
        loop.step(images, labels)
        loop.check(images, labels)
    loop.finish()
    return loop


def test_each_second_has_its_name() -> None:
    loop = run([4, 4, 4, 3], [9.0, 0.5, 0.25, 0.75], [9.0, 2.0, 2.0, 1.0], [5.0, 4.0, 3.0, 2.0], warmup=1)
    found = facts(loop, batch_size=4)
    assert found["train_batches"] == 3
    assert found["images"] == 4 + 4 + 3
    assert found["partial_batches"] == 1
    assert loop.wall_s == 0.5 + 2 + 0.25 + 2 + 0.75 + 1 + 3 * 0.25  # the watch's, within the run, counts as well
    assert found["images_per_s"] * found["train_wall_s"] == pytest.approx(found["images"], rel=1e-15)
    assert found["data_wait_share"] == 1.5 / loop.wall_s
    assert (found["data_wait_median_s"], found["data_wait_mean_s"]) == (0.5, 0.5)
    assert (found["step_median_s"], found["step_mean_s"]) == (2.0, pytest.approx(5 / 3))
    assert found["batch_mean_s"] == pytest.approx(6.5 / 3)
    assert (found["loss_first"], found["loss_last"], found["losses"]) == (4.0, 2.0, [4.0, 3.0, 2.0])
    assert "gpu_time_median_s" not in found  # no device with a clock of its own


@settings(max_examples=40)
@given(
    batches=st.lists(st.tuples(st.integers(1, 512), st.floats(0, 10), st.floats(1e-4, 10)), min_size=1, max_size=20),
    warmup=st.integers(0, 3),
)
def test_throughput_times_time_is_the_images_whatever_the_batches(
    batches: list[tuple[int, float, float]], warmup: int
) -> None:
    lead = [(8, 1.0, 1.0)] * warmup
    sizes, waits_s, steps_s = map(list, zip(*lead, *batches, strict=True))
    found = facts(run(sizes, waits_s, steps_s, [1.0] * len(sizes), warmup), batch_size=8)
    assert found["images"] == sum(size for size, _, _ in batches)
    assert found["images_per_s"] * found["train_wall_s"] == pytest.approx(found["images"], rel=1e-12)
    assert found["train_wall_s"] >= sum(wait_s + step_s for _, wait_s, step_s in batches) * (1 - 1e-9)
    assert found["images_per_s"] <= found["images"] / sum(step_s for _, _, step_s in batches) * (1 + 1e-9)
    assert 0 <= found["data_wait_share"] <= 1


def test_warm_up_leaves_nothing_behind() -> None:
    sizes = [8] * 6
    slow, quick = [50.0] * 2 + [1.0] * 4, [1.0] * 6
    assert facts(run(sizes, slow, slow, [1.0] * 6, 2), 8) == facts(
        run(sizes[2:], quick[2:], quick[2:], [1.0] * 4, 0), 8
    )


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("bad", "said"), [(1, "batch 2 of the warm-up"), (4, "batch 3;")])
def test_a_loss_that_is_no_number_ends_the_run_at_its_batch(loss: float, bad: int, said: str) -> None:
    losses = [1.0] * 6
    losses[bad] = loss
    with pytest.raises(NotMeasuredError, match=f"diverged: the loss is {loss} at {said}.*--learning-rate") as caught:
        run([8] * 6, [0.0] * 6, [1.0] * 6, losses, warmup=2)
    assert caught.value.status == "diverged"


def test_the_last_update_is_looked_at_too() -> None:
    clock = Clock()
    loop = Loop(Loader(clock, [8], [0.0]), Steps(clock, [1.0], [1.0], finite=False), Watch(clock), 0, clock)
    loop.next_batch()
    loop.step("images", [0] * 8)
    loop.check("images", [0] * 8)
    with pytest.raises(NotMeasuredError, match="diverged: the weights are not finite after batch 1"):
        loop.finish()


def test_the_watch_is_started_once_and_before_the_clock() -> None:
    clock = Clock()
    watch = Watch(clock)
    loop = Loop(Loader(clock, [8] * 5, [0.0] * 5), Steps(clock, [1.0] * 5, [1.0] * 5), watch, 2, clock)
    for number, _ in enumerate(itertools.repeat(None, 5)):
        assert watch.started == (number > 2)
        loop.next_batch()
        loop.step("images", [0] * 8)
        loop.check("images", [0] * 8)
    assert (watch.started, watch.sampled) == (1, 3)
    assert loop.wall_s < 100  # not the thousand seconds of its start
