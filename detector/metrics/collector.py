"""The metrics as prometheus-client collects them: truth from the database at each scrape, nothing kept in between."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from detector.metrics.catalogue import METRICS
from detector.metrics.readings import readings

#: What `expose` returns, for the HTTP header.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class DetectorCollector(Collector):
    """All metrics of the open database. Counters are totals of rows: no restart changes them, and they never fall."""

    def collect(self) -> Iterable[Metric]:
        families = {name: _family(name) for name in METRICS}
        for reading in sorted(readings(), key=lambda item: (item.metric, item.labels)):
            families[reading.metric].add_metric(reading.labels, reading.value)
        return [family for family in families.values() if family.samples]

    def describe(self) -> Iterable[Metric]:
        """The families without samples, so that registering needs no database."""
        return [_family(name) for name in METRICS]


def registry() -> CollectorRegistry:
    """A registry of its own with nothing else in it: no process or Python metrics of whoever serves it."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    own = CollectorRegistry(auto_describe=False)
    own.register(DetectorCollector())
    return own


def expose() -> bytes:
    """The text exposition format, version 0.0.4."""
    return generate_latest(registry())


def samples() -> list[Sample]:
    """Every sample by the name it is exposed under, in the order of the catalogue."""
    return [sample for family in DetectorCollector().collect() for sample in family.samples]


def _family(name: str) -> GaugeMetricFamily | CounterMetricFamily:
    metric = METRICS[name]
    family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return family(f"detector_{name}", metric.help, labels=metric.labels)
