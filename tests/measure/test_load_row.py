"""A row's fields from requests as they were served: simulated queues, whose rates and means are known."""

import numpy as np
import pytest
from simulated_load import SERVICE_S, of_exponential, served, simulated

from tailgate.measure.load_row import LATE_S, LoadRow, Segment, late, load_row, percentile_of
from tailgate.session.load import Limit
from tailgate.stats import arrivals

CAPACITY_PER_S = 1 / SERVICE_S


def row_of(*segments: Segment, name: str = "poisson:70%", limit: Limit | None = None) -> LoadRow:
    return load_row(name, segments, 5, CAPACITY_PER_S, limit)


def by_hand() -> Segment:
    """Five requests at 1, 2, 3, 4 and 10 s, each served for 2 s; the last two find a queue and an idle server."""
    due_s = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    return Segment(0.5, 1, served(due_s, np.full(5, 2.0)))


def test_rates_waits_and_the_queue_of_five_requests() -> None:
    segment = by_hand()
    assert segment.responses_s.tolist() == [2.0, 3.0, 4.0, 5.0, 2.0]
    assert segment.found_empty.tolist() == [True, False, False, False, True]
    fields = row_of(segment).fields
    assert fields["load_requests"] == 5
    assert fields["load_failed_requests"] == 0
    assert fields["load_rate_offered_per_s"] == 0.5
    assert fields["load_rate_served_per_s"] == pytest.approx(5 / 12)
    assert fields["load_utilization"] == pytest.approx(10 / 12)
    assert fields["load_queue_max"] == 2  # at 4 s: the third and the fourth
    assert fields["load_service_median_s"] == pytest.approx(2.0)
    assert fields["load_response_mean_s"] == pytest.approx(16 / 5)
    assert fields["load_lateness_max_s"] == pytest.approx(0.0)
    assert (fields["load_seed"], fields["load_arrivals"], fields["load_servers"]) == (5, "poisson:70%", 1)


def test_a_row_of_several_segments_counts_all_of_them() -> None:
    fields = row_of(by_hand(), by_hand()).fields
    assert fields["load_requests"] == 10
    assert fields["load_rate_served_per_s"] == pytest.approx(5 / 12)
    assert fields["load_utilization"] == pytest.approx(10 / 12)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_the_measured_mean_is_the_theorys(share: float) -> None:
    fields = row_of(simulated(share * CAPACITY_PER_S, 3, 40_000, of_exponential)).fields
    assert fields["load_response_mean_s"] == pytest.approx(fields["load_response_mean_theory_s"], rel=0.1)
    assert fields["load_utilization"] == pytest.approx(share, rel=0.05)


@pytest.mark.parametrize(("name", "servers"), [("constant:70", 1), ("gamma:70:2.0", 1), ("poisson:70", 2)])
def test_theory_is_silent_where_it_knows_nothing(name: str, servers: int) -> None:
    fields = row_of(simulated(70.0, 3, servers=servers), name=name).fields
    assert fields["load_response_mean_theory_s"] is None


def test_no_theory_of_a_queue_that_only_grows() -> None:
    assert row_of(simulated(1.5 * CAPACITY_PER_S, 3)).fields["load_response_mean_theory_s"] is None


def test_two_servers_share_the_work() -> None:
    fields = row_of(simulated(1.4 * CAPACITY_PER_S, 3, 10_000, servers=2)).fields
    assert fields["load_utilization"] == pytest.approx(0.7, rel=0.05)
    assert fields["load_valid"] is True


def test_at_90_percent_a_long_queue_is_chance_and_not_overload() -> None:
    found = [row_of(simulated(0.9 * CAPACITY_PER_S, seed, 500)).status for seed in range(200)]
    assert found.count("overloaded") <= 2


@pytest.mark.parametrize(("share", "least"), [(1.1, 0.6), (1.3, 0.95), (3.0, 1.0)])
def test_above_the_capacity_a_row_is_overloaded(share: float, least: float) -> None:
    rows = [row_of(simulated(share * CAPACITY_PER_S, seed)) for seed in range(50)]
    overloaded = [row for row in rows if row.status == "overloaded"]
    assert len(overloaded) >= least * len(rows)
    assert all(row.fields["load_valid"] is False for row in overloaded)
    assert all("the percentiles depend on how long one measures" in row.warnings[-1] for row in overloaded)


def test_two_overloaded_servers_are_overloaded() -> None:
    assert row_of(simulated(3.0 * CAPACITY_PER_S, 1, servers=2)).status == "overloaded"


def test_late_is_the_instruments_own_error() -> None:
    row = row_of(simulated(0.3 * CAPACITY_PER_S, 1, late_s=0.002))
    assert row.status == "late"
    assert row.fields["load_lateness_p99_s"] == pytest.approx(0.002, rel=1e-6)
    assert row.fields["load_valid"] is False
    assert any("a free server noticed 1 % of the requests more than" in text for text in row.warnings)


def test_the_limit_of_lateness_is_of_the_response_but_never_below_the_kernels_own() -> None:
    waits_s = np.full(100, LATE_S)
    assert late(waits_s, np.full(100, 1e-6)) is None
    assert late(waits_s * 1.1, np.full(100, 1e-6)) is not None
    assert late(waits_s * 1.1, np.full(100, 1.0)) is None
    assert late(np.full(100, 0.06), np.full(100, 1.0)) == (pytest.approx(0.06), pytest.approx(0.05))
    assert late(np.empty(0), np.full(100, 1.0)) is None
    assert late(waits_s, np.empty(0)) is None


def test_where_no_server_was_ever_free_lateness_is_missing_with_its_reason() -> None:
    due_s = np.full(400, 1e-9)
    row = row_of(Segment(1e9, 1, served(due_s, np.full(400, SERVICE_S), late_s=0.0)))
    if row.fields["load_lateness_p99_s"] is None:
        assert any("load_lateness_p99_s: no request came to a free server" in text for text in row.warnings)
    nobody = Segment(1e9, 1, served(due_s, np.full(400, SERVICE_S)))
    nobody.served.waited[:] = False
    row = row_of(nobody)
    assert (row.fields["load_lateness_p99_s"], row.fields["load_lateness_max_s"]) == (None, None)
    assert any("load_lateness_p99_s: no request came to a free server" in text for text in row.warnings)


def test_failed_requests_are_counted_and_left_out_of_the_percentiles() -> None:
    failures = ((499, "ValueError: no"), (700, "ValueError: again"))
    segment = simulated(50.0, 2, failures=failures)
    row = row_of(segment)
    assert row.status == "errors"
    assert row.fields["load_failed_requests"] == 2
    assert row.fields["load_requests"] == 2000
    assert len(row.responses_s) == len(row.fields["load_services_s"]) == 1998
    assert row.warnings[-1] == (
        "errors: 2 of 2000 requests failed, the first, request 500, with ValueError: no; "
        "the percentiles are of the others"
    )


def test_where_the_first_request_failed_the_interval_is_still_there() -> None:
    row = row_of(simulated(50.0, 2, failures=((0, "ValueError: no"),)))
    assert row.fields["load_p99_low_s"] is not None


def test_where_every_request_failed_there_is_no_response() -> None:
    failures = tuple((index, "ValueError: no") for index in range(400))
    row = row_of(simulated(50.0, 2, 400, failures=failures))
    assert row.responses_s == []
    assert row.status == "errors"
    assert "400 of 400 requests failed, the first, request 1, with ValueError: no" in row.warnings[-1]
    assert "the percentiles" not in row.warnings[-1]


def test_goodput_is_of_the_responses_within_the_limit() -> None:
    row = row_of(by_hand(), limit=Limit("p99", 3.0))
    assert row.fields["load_limit"] == "p99=3000ms"
    assert row.fields["load_goodput_per_s"] == pytest.approx(3 / 12)
    assert "load_goodput_per_s" not in row_of(by_hand()).fields


def test_an_interval_with_no_upper_end_says_how_many_requests_it_needs() -> None:
    row = row_of(simulated(90.0, 1, 400))
    assert row.fields["load_p99_high_s"] is None
    assert any(text.startswith("load_p99_high_s: too few independent busy periods") for text in row.warnings)
    assert row_of(simulated(30.0, 1, 5000)).fields["load_p99_high_s"] is not None


def test_every_number_of_a_row_is_finite_and_plain() -> None:
    for segment in (by_hand(), simulated(70.0, 1), simulated(300.0, 1, failures=((0, "E"),)), simulated(70.0, 1, 1)):
        for name, value in row_of(segment, limit=Limit("p95", 0.02)).fields.items():
            assert value is None or type(value) in (bool, int, float, str, list), (name, type(value))
            if isinstance(value, float):
                assert np.isfinite(value), name


def test_the_same_schedule_in_other_segments_has_a_percentile_of_all() -> None:
    segments = [Segment(50.0, 1, served(arrivals.poisson(50.0, seed, requests=500), np.full(500, SERVICE_S)))
                for seed in range(4)]  # fmt: skip
    every = np.concatenate([segment.responses_s for segment in segments])
    assert percentile_of(segments, 99.0).value == pytest.approx(float(np.percentile(every, 99)))
