"""SARIF 2.1.0 (OASIS), as GitHub code scanning and editors read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aipc.core.types import Finding, Fix, Range, Severity
from aipc.core.wording import original_words

from ..baseline import relative
from .document import Document, ModelFindings, RuleText

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: "note"}
_ROOT = "SRCROOT"


def write(document: Document) -> str:
    """One SARIF log with one run for each model."""
    runs = [_run(model, document) for model in document.models]
    runs += [_failed_run(name, message, document) for name, message in document.errors.items()]
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}, indent=2, ensure_ascii=False) + "\n"


def _run(model: ModelFindings, document: Document) -> dict[str, Any]:
    report = model.report
    codes = sorted({finding.rule for finding in report.findings})
    results = [_result(finding, new, key, codes, document) for finding, new, key in model.items()]
    properties = {
        "model": report.model,
        "soc": report.soc,
        "precision": report.precision,
        "qairt": report.qairt,
        "placement": dict(report.placement),
    }
    return {
        "tool": {"driver": _driver(document, [_rule(code, document) for code in codes])},
        # Runs of one tool in one upload are told apart by this.
        "automationDetails": {"id": f"aipc/{report.model}/{report.soc}/{report.precision}/"},
        "originalUriBaseIds": {_ROOT: {"uri": document.root.as_uri() + "/"}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "results": results,
        "properties": properties,
    }


def _failed_run(name: str, message: str, document: Document) -> dict[str, Any]:
    notification = {"level": "error", "message": {"text": message}}
    return {
        "tool": {"driver": _driver(document, [])},
        "automationDetails": {"id": f"aipc/{name}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": False, "toolExecutionNotifications": [notification]}],
        "results": [],
    }


def _driver(document: Document, rules: list[dict[str, Any]]) -> dict[str, Any]:
    driver: dict[str, Any] = {"name": "AIPC", "semanticVersion": document.version, "rules": rules}
    if document.documentation:
        driver["informationUri"] = document.documentation
    return driver


def _rule(code: str, document: Document) -> dict[str, Any]:
    texts = document.rules.get(code) or (RuleText(f"The finding {code}.", ""),)
    full = "\n\n".join(dict.fromkeys(text.message for text in texts))
    remedies = "\n\n".join(dict.fromkeys(text.remedy for text in texts if text.remedy))
    plain = f"{full}\n\nWhat can be done: {remedies}" if remedies else full
    marked = f"{full}\n\n**What can be done:** {remedies}" if remedies else full
    rule: dict[str, Any] = {
        "id": code,
        "name": "".join(part.capitalize() for part in code.split("-")),
        "shortDescription": {"text": texts[0].message},
        "fullDescription": {"text": full},
        "help": {"text": plain, "markdown": marked},
    }
    if document.documentation:
        rule["helpUri"] = f"{document.documentation.rstrip('/')}/reference/rules#{code}"
    return rule


def _result(finding: Finding, new: bool, key: str, codes: list[str], document: Document) -> dict[str, Any]:
    message = finding.message
    if original := original_words(finding):
        message += f"\n{original}"
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": codes.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": message},
        "locations": [_location(finding, document)],
        "partialFingerprints": {"aipcFinding/v1": key},
        "properties": {"nodes": list(finding.nodes), "compiler": finding.compiler},
    }
    if document.compared:
        result["baselineState"] = "new" if new else "unchanged"
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": item.message}, "physicalLocation": _physical(item.range, document)}
            for number, item in enumerate(finding.related)
        ]
    if fixes := [_fix(fix, document) for fix in finding.fixes if fix.edits]:
        result["fixes"] = fixes
    return result


def _location(finding: Finding, document: Document) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": node, "kind": "node"} for node in finding.nodes]
    }
    if finding.range is not None:
        location["physicalLocation"] = _physical(finding.range, document)
    return location


def _physical(place: Range, document: Document) -> dict[str, Any]:
    return {"artifactLocation": _artifact(place.file, document), "region": _region(place)}


def _artifact(file: str, document: Document) -> dict[str, Any]:

    path = relative(file, document.root)
    if Path(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(path), "uriBaseId": _ROOT}


def _region(place: Range) -> dict[str, Any]:
    """Lines and columns count from 1; the end is the first column after the text."""
    return {
        "startLine": place.start.line,
        "startColumn": place.start.column + 1,
        "endLine": place.end.line,
        "endColumn": place.end.column + 1,
    }


def _fix(fix: Fix, document: Document) -> dict[str, Any]:
    files: dict[str, list[dict[str, Any]]] = {}
    for place, text in _sorted(fix.edits):
        replacement = {"deletedRegion": _region(place), "insertedContent": {"text": text}}
        files.setdefault(place.file, []).append(replacement)
    title = f"{fix.title} ({fix.proof})" if fix.proved else f"{fix.title} (not proved yet: aipc fix proves it)"
    changes = [
        {"artifactLocation": _artifact(file, document), "replacements": replacements}
        for file, replacements in files.items()
    ]
    return {"description": {"text": title}, "artifactChanges": changes}


def _sorted(edits: Iterable[tuple[Range, str]]) -> list[tuple[Range, str]]:
    return sorted(edits, key=lambda edit: (edit[0].file, edit[0].start.line, edit[0].start.column))
