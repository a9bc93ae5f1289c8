"""Find the nodes that make finalizing fail when QAIRT does not name them.

The search tries prefixes of the graph, then shortens the failing prefix from its front: what is left is the smallest
run of nodes that still fails. A cut tensor becomes an output, so every try is a graph that QAIRT sees whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import onnx

from .extract import subgraph
from .trial import TrialOutcome


def smallest_failing_run(
    model: onnx.ModelProto,
    names: Sequence[str],
    test: Callable[[onnx.ModelProto], TrialOutcome],
    *,
    seconds: float = 110.0,
) -> tuple[str, ...]:
    """Names of the smallest run of consecutive nodes of ``names`` that fails ``test``.

    Args:
        names: node names in graph order; the whole of them is known to fail.
        seconds: stop narrowing after this time and return the best so far.
    """
    deadline = time.monotonic() + seconds

    def fails(first: int, last: int) -> bool:
        return test(subgraph(model, set(names[first:last]))) is TrialOutcome.FAIL

    # The shortest failing prefix: names[:high] fails, names[:low] does not.
    low, high = 0, len(names)
    while high - low > 1 and time.monotonic() < deadline:
        middle = (low + high) // 2
        if fails(0, middle):
            high = middle
        else:
            low = middle
    # The latest start: a short run is nearly always enough, so look near the end first.
    start, step = high - 1, 1
    while start > 0 and time.monotonic() < deadline and not fails(start, high):
        start, step = max(0, start - step), step * 2
    passing = min(high, start + max(1, step // 2))
    while passing - start > 1 and time.monotonic() < deadline:
        middle = (start + passing) // 2
        if fails(middle, high):
            start = middle
        else:
            passing = middle
    return tuple(names[start:high])
