"""Readers of metrics in text: Prometheus' own, and GitLab's rule."""

import re
import shlex
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families


def gitlabs(text: str) -> dict[str, str]:
    """A metrics report as GitLab reads it: ``Gitlab::Ci::Parsers::Metrics::Generic``, with a shell's words.

    It removes comments line by line, splits the rest into words, and keeps the first two.
    """
    words = [shlex.split(re.sub(r"#.*$", "", line)) for line in text.splitlines()]
    return {name: value for name, value, *_ in filter(None, words)}


def samples(text: str, families: Any = openmetrics_families) -> dict[str, dict[str, float]]:
    """Metric -> benchmark -> value."""
    found: dict[str, dict[str, float]] = {}
    for family in families(text):
        for sample in family.samples:
            assert sample.labels["benchmark"] not in found.setdefault(sample.name, {})
            found[sample.name][sample.labels["benchmark"]] = sample.value
    return found
