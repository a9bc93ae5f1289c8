"""Ready metrics, each a file with a ``METRIC``."""

from __future__ import annotations

import importlib
import pkgutil

from ._metric import Metric, Outputs, first_output

__all__ = ["Metric", "Outputs", "first_output", "get_metric", "metric_names"]


def metric_names() -> tuple[str, ...]:
    """Every ready metric, by the name that the command line takes."""
    names = (item.name for item in pkgutil.iter_modules(__path__) if not item.name.startswith("_"))
    return tuple(sorted(name.replace("_", "-") for name in names))


def get_metric(name: str) -> Metric:
    """The ready metric ``name``; imports what it needs.

    Raises:
        ImportError: a library of it is not installed.
    """
    metric: Metric = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").METRIC
    return metric
