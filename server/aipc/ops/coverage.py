"""How much of what PyTorch's exporter knows the cases reach."""

from __future__ import annotations

from collections.abc import Iterable

from aipc.capture.tables import registry

from .data import Coverage
from .measurements import CaseFacts

_NAMESPACES = ("aten", "torchvision")


def coverage(facts: Iterable[CaseFacts]) -> Coverage:
    """The exporter's registry of operators with an ONNX form or a decomposition, and which of them were reached.

    Overloads count once: ``aten::add.Tensor`` and ``aten::add.Scalar`` are ``aten::add``.
    """
    names = {name.partition(".")[0] for name in registry().functions if isinstance(name, str)}
    known = {name for name in names if name.partition("::")[0] in _NAMESPACES}
    reached: set[str] = set()
    for item in facts:
        # aten.add.Tensor, torchvision.roi_align.default
        reached |= {"::".join(name.split(".")[:2]) for name in item.operators}
        reached |= {name for called in item.called for name in _of_call(called)}
    return Coverage(tuple(sorted(known)), tuple(sorted(known & reached)))


def _of_call(name: str) -> tuple[str, ...]:
    """Operators that a call by a public name means: ``torch.special.softmax`` is ``aten::special_softmax``."""
    # A property such as Tensor.mT is called by its getter.
    *module, short = name.removesuffix(".__get__").split(".")
    if module[:1] == ["torchvision"]:
        return (f"torchvision::{short}",)
    if module[-1:] in (["special"], ["linalg"]):
        return (f"aten::{module[-1]}_{short}",)
    return (f"aten::{short}",)
