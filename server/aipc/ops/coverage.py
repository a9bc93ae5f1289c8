"""How much of what PyTorch's exporter knows the cases reach."""

from __future__ import annotations

from collections.abc import Iterable

from aipc.capture.tables import registry

from .data import Coverage
from .results import Facts

_NAMESPACES = ("aten", "torchvision")


def coverage(facts: Iterable[Facts]) -> Coverage:
    """The exporter's registry of operators with an ONNX form or a decomposition, and which of them were reached.

    Overloads count once: ``aten::add.Tensor`` and ``aten::add.Scalar`` are ``aten::add``.
    """
    names = {name.partition(".")[0] for name in registry().functions if isinstance(name, str)}
    known = {name for name in names if name.partition("::")[0] in _NAMESPACES}
    reached: set[str] = set()
    for item in facts:
        # aten.add.Tensor, torchvision.roi_align.default
        reached |= {"::".join(name.split(".")[:2]) for name in item.operators}
        reached |= {f"aten::{name.rpartition('.')[2]}" for name in item.called}
    return Coverage(tuple(sorted(known)), tuple(sorted(known & reached)))
