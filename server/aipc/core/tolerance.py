"""The keys of ``tolerance`` in the configuration: every threshold of a gate that a user can set, and its default."""

from __future__ import annotations

import difflib
import math
import sys
from typing import Any

TOLERANCES = {
    "sqnr_db": "least SQNR of every output of the package against PyTorch in fp32. Default in fp16: 40 dB, or 6 dB "
    "less than a correctly rounded fp16 run has, and never below 20 dB. In integers: 20 dB. Once it is set, it is the "
    "only threshold.",
    "capture_sqnr_db": "least SQNR of the captured and of the rewritten graph, run in fp32, against PyTorch in fp32, "
    "on the example and on every probe. Default: 100 dB; less where PyTorch's own fp32 is farther from fp64.",
    "cosine": "least cosine of every output of the package against PyTorch's. Default: none.",
    "max_abs": "largest absolute error of every output of the package. Default: none.",
    "metric": "least value of the configured `metric`. Default: 0.7 of what PyTorch's own outputs have by it.",
}
_EXAMPLES = {"sqnr_db": 40, "capture_sqnr_db": 100, "cosine": 0.999, "max_abs": 0.01, "metric": 0.7}
_ANY_SIGN = {"metric"}


def tolerance_problem(value: Any) -> tuple[str, str]:
    """Why a value is no table of thresholds, as a clause, and what to write instead; "" twice when it is one."""
    if not isinstance(value, dict):
        return "is not a table of numbers", "for example { sqnr_db = 40 }"
    for key, number in value.items():
        if key not in TOLERANCES:
            near = difflib.get_close_matches(key, TOLERANCES, 1)
            known = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(TOLERANCES))}"
            return f"has the unknown key {key!r}", known
        example = f"for example {{ {key} = {_EXAMPLES[key]} }}"
        if not isinstance(number, (int, float)) or isinstance(number, bool):
            return "is not a table of numbers", example
        most = 1.0 if key == "cosine" else math.inf
        # math.isfinite raises for an integer beyond all floats.
        if not abs(number) <= sys.float_info.max or number > most or (number < 0 and key not in _ANY_SIGN):
            return f"has {key} = {number}, which everything passes or nothing", example
    return "", ""
