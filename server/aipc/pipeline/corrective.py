"""What a run tries by itself when a gate is not passed, before it stops."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """Another way to capture the model. Tried in order; each try is in the journal."""

    strategy: str
    opset: int

    @property
    def title(self) -> str:
        return f"capture by {self.strategy.replace('-', ' ')} with opset {self.opset}"


ATTEMPTS = (Attempt("one-trace", 20), Attempt("two-traces", 20), Attempt("one-trace", 18))

# Stages whose failed gate another capture may cure.
CURABLE = frozenset({"capture", "verify capture"})
