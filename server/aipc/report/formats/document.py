"""What every format is written from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aipc.core.types import CheckReport, Finding, Severity

_ORDER = (Severity.INFORMATION, Severity.WARNING, Severity.ERROR)


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a finding's code means, and what can be done."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ModelFindings:
    """The check of one model; for each of its findings whether the baseline lacks it, and its fingerprint."""

    report: CheckReport
    new: tuple[bool, ...]
    fingerprints: tuple[str, ...]

    def items(self) -> Iterator[tuple[Finding, bool, str]]:
        return zip(self.report.findings, self.new, self.fingerprints, strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Checks of one or more models.

    ``errors``: model -> why it could not be checked. ``root``: paths are relative to it. ``fail_on``: findings of this
    severity and above fail the check. ``documentation``: address of the pages, or "". ``compared``: findings were held
    against a baseline.
    """

    models: tuple[ModelFindings, ...]
    root: Path
    version: str
    rules: Mapping[str, tuple[RuleText, ...]]
    errors: Mapping[str, str] = field(default_factory=dict)
    fail_on: Severity = Severity.WARNING
    documentation: str = ""
    compared: bool = False

    def fails(self, finding: Finding, new: bool) -> bool:
        """Whether a finding makes the check fail."""
        return new and _ORDER.index(finding.severity) >= _ORDER.index(self.fail_on)

    @property
    def ok(self) -> bool:
        """No model was left unchecked, and no finding fails the check."""
        return not self.errors and not any(
            self.fails(finding, new) for model in self.models for finding, new, _ in model.items()
        )
