"""Benchmarks of the index: plain pytest-benchmark tests."""

import pytest
from word_index import build, lines_with

LINES = [f"line {n} says {'fizz' if n % 3 else 'buzz'} and {n % 97}" for n in range(2_000)]


@pytest.mark.throughput(items=len(LINES))
def test_build(benchmark):
    assert len(benchmark(build, LINES)["fizz"]) == 1_333


@pytest.mark.parametrize("words", [["fizz"], ["fizz", "13"]], ids="-".join)
def test_lines_with(benchmark, words):
    assert benchmark(lines_with, build(LINES), *words)
