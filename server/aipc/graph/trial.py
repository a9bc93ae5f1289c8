"""What a candidate sub-graph did when it was tried: the answer that a search over a graph goes by."""

from enum import Enum


class TrialOutcome(str, Enum):
    """``UNKNOWN``: it could not be tried; it does not load, or fails in another way than the whole graph."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
