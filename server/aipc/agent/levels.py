"""How near a change comes to the original: levels in dB, and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping

from aipc.core.types import OutputAccuracy

from .job_results import STATE

EQUAL_DB = 80.0
"""Two fp32 executions of one model agree to 110 dB and more (see ``pipeline.gates``); another order of its sums costs
some of that on the way through a deep model. A change of a ten-thousandth of the signal has 80 dB."""
APPROXIMATE_DB = 20.0
"""Below it (an error of a tenth of the signal) a change is another model, whoever agrees to it."""
_FLOOR_MARGIN_DB = 6.0


def equal_db(floors: Mapping[str, float], name: str) -> float:
    """SQNR in dB that a change has to keep on a set of inputs: no more than the original in fp32 has against fp64."""
    floor = floors.get(name)
    return EQUAL_DB if floor is None else max(min(EQUAL_DB, floor - _FLOOR_MARGIN_DB), APPROXIMATE_DB)


def level_db(item: OutputAccuracy) -> float:
    """SQNR in dB; minus infinity for an output that is not finite where the original's is."""
    return -math.inf if item.nan + item.inf or math.isnan(item.sqnr_db) else item.sqnr_db


def shown(level: float) -> str:
    return "infinite" if level == math.inf else "below any" if level == -math.inf else f"{level:.1f}"


def on_set(name: str) -> str:
    """Where something was measured: on a set of inputs or in a state of the module."""
    return _STATES.get(name.removeprefix(STATE), name) if name.startswith(STATE) else f"on {name} inputs"


_STATES = {
    "repeated": "when called again",
    "gradients": "with gradients",
    "training": "in training mode",
    "weights": "after other weights are loaded",
}
