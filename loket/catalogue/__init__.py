"""Every name that leaves the product in metrics: names, units, help texts, labels and their values, in one place.

The exporter, the sink, rules, dashboards, `loket.scrape` and docs/metrics.md take them from here.
"""

from loket.catalogue.alerts import ALERTS_METRICS
from loket.catalogue.employees import (
    EMPLOYEE_CORRECTIONS,
    EMPLOYEE_COUNTS,
    EMPLOYEE_DAY,
    EMPLOYEE_DURATIONS,
    EMPLOYEE_METRICS,
    EMPLOYEE_PREFIX,
    EMPLOYEE_TIME,
)
from loket.catalogue.metric import MILLISECONDS, PREFIX, Kind, Metric
from loket.catalogue.pipeline import PIPELINE_METRICS
from loket.catalogue.sink import SINK_METRICS
from loket.catalogue.units import UNIT_METRICS

__all__ = [
    "ALERTS_METRICS",
    "EMPLOYEE_CORRECTIONS",
    "EMPLOYEE_COUNTS",
    "EMPLOYEE_DAY",
    "EMPLOYEE_DURATIONS",
    "EMPLOYEE_METRICS",
    "EMPLOYEE_PREFIX",
    "EMPLOYEE_TIME",
    "METRICS",
    "MILLISECONDS",
    "PIPELINE_METRICS",
    "PREFIX",
    "SINK_METRICS",
    "UNIT_METRICS",
    "Kind",
    "Metric",
]

METRICS = (*UNIT_METRICS, *EMPLOYEE_METRICS, *PIPELINE_METRICS, *SINK_METRICS, *ALERTS_METRICS)
"""All metrics of all components."""
