"""What a rewrite rule is. A rule is one file in ``rules/`` that defines ``RULE``; adding a rule is adding a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .proofs import Exactness, NonFinite, Trigger

if TYPE_CHECKING:
    import onnx_ir as ir

    from .build import Builder
    from .site import Site

Rewrite = Callable[["ir.Node", "Builder"], "ir.Value | Sequence[ir.Value]"]
SourceEdit = Callable[["Site"], "str | None"]


class NoMatch(Exception):  # noqa: N818 - an answer, not an error
    """A rule does not apply to a node. The text says why, in words for the author of the model."""


@dataclass(frozen=True, slots=True)
class Example:
    """A runnable PyTorch model and its inputs.

    Args:
        model: an expression in the names of ``inputs``, an expression that is a module, or definitions with a class
            ``Model``. ``torch``, ``nn``, ``F`` and ``math`` are there.
        inputs: name -> what ``[tool.aipc]`` takes for ``inputs`` (``float32[1,3,8,8]``), or an expression that makes a
            tensor.
    """

    model: str
    inputs: Mapping[str, str] = field(default_factory=lambda: {"x": "float32[1,3,8,8]"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rewrite.

    Args:
        code: kebab-case name.
        title: what the rule does, as a sentence without a period.
        ops: ONNX operator types of the node that the rule starts from.
        trigger: what calls for it. also: what else does.
        exactness: how near the result is in exact arithmetic.
        rewrite: builds the replacement of a node's outputs; raises :class:`NoMatch`.
        before: PyTorch that needs the rule; with ``after``, documentation and test.
        after: the same in PyTorch, as the rule would write it.
        negative: PyTorch with a node of ``ops`` to which the rule does not apply.
        more: further models to which it applies: other ranks, dtypes, attributes.
        excludes: its precondition: the numbers for which it does not hold. It is applied only where the graph
            guarantees that none of them is there (:mod:`aipc.rewrites.nonfinite`), and its proof feeds all others.
        bound_db: SQNR in dB that an approximate rule keeps in exact arithmetic.
        answers: codes of findings that the rule cures; any when empty.
        source_edit: the text for the author's call that does the same, where a readable one exists.
    """

    code: str
    title: str
    ops: tuple[str, ...]
    trigger: Trigger
    exactness: Exactness
    rewrite: Rewrite
    before: Example
    after: str
    negative: Example
    more: tuple[Example, ...] = ()
    excludes: NonFinite = NonFinite.NONE
    also: Trigger | None = None
    bound_db: float | None = None
    answers: tuple[str, ...] = ()
    source_edit: SourceEdit | None = None
