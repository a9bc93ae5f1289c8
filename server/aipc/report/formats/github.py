"""Workflow commands of GitHub Actions: an annotation on the line of each finding that the baseline lacks."""

from __future__ import annotations

from aipc.core.types import Finding, Severity
from aipc.core.wording import counted, original_words

from ..baseline import relative
from .document import Document

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "notice"}


def write(document: Document) -> str:
    """A line for each new finding and each model that could not be checked, then one sentence for the log."""
    lines = [
        _line(finding, model.report.model, document)
        for model in document.models
        for finding, new, _ in model.items()
        if new
    ]
    for name, message in document.errors.items():
        lines.append(f"::error title={_property(f'AIPC: {name}')}::{_data(message)}")
    known = sum(not new for model in document.models for new in model.new)
    total = sum(len(model.new) for model in document.models) - known
    compared = f"{counted(total, 'new finding')}, {known} in the baseline"
    count = compared if document.compared else counted(total, "finding")
    lines.append(f"{counted(len(document.models), 'model')} checked: {count}")
    return "\n".join(lines) + "\n"


def _line(finding: Finding, model: str, document: Document) -> str:
    properties = {"title": f"AIPC {finding.rule} in {model}"}
    if finding.range is not None:
        place = finding.range
        properties["file"] = relative(place.file, document.root)
        properties["line"] = str(place.start.line)
        properties["endLine"] = str(place.end.line)
        if place.start.line == place.end.line:  # columns of an annotation are those of one line
            properties["col"] = str(place.start.column + 1)
            properties["endColumn"] = str(place.end.column + 1)
    message = finding.message
    if original := original_words(finding):
        message += f"\n{original}"
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {written}::{_data(message)}"


def _data(text: str) -> str:
    """Escaped as the runner's command parser wants it (actions/toolkit, command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
