"""How one call of the stages went."""

from __future__ import annotations

from dataclasses import dataclass

from aipc.core.errors import AipcError
from aipc.core.types import Gate, StageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``failed``: the record whose gate stopped the stages. ``error``: what a stage raised instead of an answer."""

    records: tuple[StageRecord, ...] = ()
    failed: StageRecord | None = None
    error: AipcError | None = None
    stage: str = ""
    """The last stage that was begun: the one that failed, where one did."""

    @property
    def ok(self) -> bool:
        return self.failed is None and self.error is None

    @property
    def gate(self) -> Gate | None:
        """The gate that was not passed."""
        return self.failed.gate if self.failed else None

    def then(self, more: Outcome) -> Outcome:
        """This outcome and that of the stages after it."""
        return Outcome(records=self.records + more.records, failed=more.failed, error=more.error, stage=more.stage)
