"""The engine's reports as the Python interface gives them: the same fields, shown in notebooks and terminals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from aipc.core import plain_data, types
from aipc.core.errors import AipcError
from aipc.core.types import Finding, Placement
from aipc.report import comparison

if TYPE_CHECKING:
    from .loading import Package


class _Shown:
    """``to_json`` gives the document that ``--json`` prints."""

    __slots__ = ()

    @classmethod
    def of(cls, report: Any) -> Self:
        return cls(**{field.name: getattr(report, field.name) for field in fields(report)})

    def to_json(self, *, indent: int | None = 2) -> str:
        return plain_data.dumps(self, indent=indent)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {next(iter(_summary(self)))}>"

    def __str__(self) -> str:
        return "\n".join(_summary(self))

    def _repr_html_(self) -> str:
        from aipc.report.notebook import fragment

        return fragment(self)


class CheckReport(_Shown, types.CheckReport):
    """Where QAIRT runs each node, and the findings. Fields: :class:`aipc.core.types.CheckReport`."""

    __slots__ = ()
    __repr__ = _Shown.__repr__

    @property
    def ok(self) -> bool:
        """True when there is neither an error nor a warning: what exit status 0 of ``aipc check`` says."""
        return all(finding.severity is types.Severity.INFORMATION for finding in self.findings)


class DeployReport(_Shown, types.DeployReport):
    """Stages, gates, accuracy and the package. Fields: :class:`aipc.core.types.DeployReport`."""

    __slots__ = ()
    __repr__ = _Shown.__repr__

    def load(self) -> Package:
        """The package, ready to be called.

        Raises:
            AipcError: a gate was not passed, so there is no package.
        """
        from .loading import load

        if self.package is None:
            failed = next((stage.name for stage in self.stages if stage.gate and not stage.gate.ok), "a stage")
            raise AipcError(f"{self.model} has no package: {failed} was not passed", remedy="see the findings")
        return load(self.package, self.target)


class Comparison(_Shown, comparison.Comparison):
    """What got worse between two deployments. Fields: :class:`aipc.report.comparison.Comparison`."""

    __slots__ = ()
    __repr__ = _Shown.__repr__

    def to_markdown(self) -> str:
        """For the comment of a pull request."""
        return comparison.markdown(self)


def _summary(report: Any) -> Iterator[str]:
    """The first line says how it went; the others are the findings or the measures."""
    if isinstance(report, Comparison):
        worse = [item.name for item in report.measures if item.trend is comparison.Trend.WORSE]
        verdict = f"worse: {', '.join(worse)}" if worse else "nothing got worse"
        yield f"{report.model}: {verdict}"
        for item in report.measures:
            values = [comparison.figure(value, item.unit) for value in (item.before, item.after)]
            yield f"{item.name}: {values[0]} to {values[1]} ({item.trend.value})"
        return
    places = ", ".join(
        f"{count} {place.value}" for place in Placement if (count := (report.placement or {}).get(place.value))
    )
    line = f"{report.model} for {report.soc}, {report.precision}: {places or 'no nodes'}"
    if isinstance(report, types.DeployReport):
        outputs = (report.accuracy or {}).get("outputs", ())
        worst = f", worst output {min(item.sqnr_db for item in outputs):.1f} dB SQNR" if outputs else ""
        line += f"{worst}, {'verified' if report.ok else 'gate not passed'}"
    count = len(report.findings)
    yield f"{line}; {count} finding{'s' * (count != 1)}"
    yield from (_finding_line(finding) for finding in report.findings)


def _finding_line(finding: Finding) -> str:
    place = finding.range
    where = f"{place.file}:{place.start.line}:{place.start.column + 1}" if place else "(no source)"
    return f"{where} {finding.severity.value} [{finding.rule}] {finding.message}"
