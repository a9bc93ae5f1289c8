"""JUnit XML: a test suite for each model, a test case for each finding and one for the check itself."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from aipc.core.types import Finding
from aipc.core.wording import counted, original_words

from ..baseline import relative
from .document import Document, ModelFindings

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(document: Document) -> str:
    """The XML document, with a declaration."""
    root = Xml.Element("testsuites", name="aipc check")
    for model in document.models:
        _suite(root, model, document)
    for name, message in document.errors.items():
        suite = Xml.SubElement(root, "testsuite", name=_text(name), tests="1", failures="0", errors="1", skipped="0")
        case = Xml.SubElement(suite, "testcase", classname=_text(name), name="check")
        Xml.SubElement(case, "error", message=_text(message))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _suite(root: Xml.Element, model: ModelFindings, document: Document) -> None:
    report = model.report
    failing = [document.fails(finding, new) for finding, new, _ in model.items()]
    known = sum(not new for new in model.new)
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=_text(f"{report.model} on {report.soc}, {report.precision}"),
        tests=str(1 + len(failing)),
        failures=str(sum(failing)),
        errors="0",
        skipped=str(known),
        time=f"{report.timings.get('total', 0.0):.3f}",
    )
    placed = ", ".join(f"{count} {name}" for name, count in report.placement.items())
    case = Xml.SubElement(suite, "testcase", classname=_text(report.model), name="check")
    Xml.SubElement(case, "system-out").text = _text(f"{counted(report.nodes, 'node')}: {placed}")
    for (finding, new, _), fails in zip(model.items(), failing, strict=True):
        case = Xml.SubElement(
            suite, "testcase", classname=_text(report.model), name=_text(f"{finding.rule} {_place(finding, document)}")
        )
        text = "\n".join(filter(None, (finding.message, original_words(finding, one_line=False))))
        if fails:
            failure = Xml.SubElement(case, "failure", message=_text(finding.message), type=_text(finding.rule))
            failure.text = _text(text)
        elif not new:
            Xml.SubElement(case, "skipped", message="in the baseline")
        else:
            Xml.SubElement(case, "system-out").text = _text(text)


def _place(finding: Finding, document: Document) -> str:
    if finding.range is None:
        return ", ".join(finding.nodes[:1])
    start = finding.range.start
    return f"{relative(finding.range.file, document.root)}:{start.line}:{start.column + 1}"


def _text(text: str) -> str:
    """Without the characters that XML does not allow."""
    return _NOT_IN_XML.sub("\ufffd", text)
