"""Rows of one benchmark under load, at several rates, made up."""

from typing import Any

from histories import bench


def loaded(rate_per_s: float, name: str = "test_it.py::test_f", **info: Any) -> dict[str, Any]:
    load = info.pop("load_arrivals", f"poisson:{rate_per_s:g}")
    response_s = 0.01 / (1 - min(rate_per_s, 95) / 100)
    fields = {
        "load_arrivals": load,
        "load_capacity_per_s": 100.0,
        "load_rate_offered_per_s": rate_per_s,
        "load_rate_served_per_s": rate_per_s,
        "load_utilization": rate_per_s / 100,
        "load_service_median_s": 0.01,
        "load_response_mean_s": response_s,
        "load_response_mean_theory_s": response_s,
        "load_queue_max": 3,
        "load_lateness_p99_s": 2e-5,
        "status": "ok",
    }
    return bench(f"{name}[{load}]", response_s, response_s * 3, **(fields | info))


RATES = (10, 30, 50, 70, 90)
