"""Findings that were there before: told apart by what they are about, not by their line number."""

from __future__ import annotations

import hashlib
import json
import linecache
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aipc.core.errors import InputError, StorageError
from aipc.core.types import CheckReport, Finding

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineEntry:
    """One entry of a baseline. ``count``: how many findings have this fingerprint."""

    fingerprint: str
    count: int
    model: str
    soc: str
    rule: str
    file: str | None
    text: str
    """The source expression, for the reader of the file."""


def fingerprint(finding: Finding, report: CheckReport, root: Path) -> str:
    """The same for a finding that only moved: model, chip, precision, rule, file and the text of its expression.

    A finding without a source is known by its nodes.
    """
    place = relative(finding.range.file, root) if finding.range else None
    about = _expression(finding) or ",".join(finding.nodes)
    parts = [report.model, report.soc, report.precision, finding.rule, place or "", about]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def relative(file: str, root: Path) -> str:
    """A path as it is below ``root``, with forward slashes; others as they are."""
    path = Path(file)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def known_findings(reports: Sequence[CheckReport], root: Path) -> tuple[BaselineEntry, ...]:
    """What a baseline of these reports says."""
    counts: Counter[str] = Counter()
    entries: dict[str, tuple[CheckReport, Finding]] = {}
    for report in reports:
        for finding in report.findings:
            key = fingerprint(finding, report, root)
            counts[key] += 1
            entries.setdefault(key, (report, finding))
    return tuple(
        BaselineEntry(
            fingerprint=key,
            count=counts[key],
            model=report.model,
            soc=report.soc,
            rule=finding.rule,
            file=relative(finding.range.file, root) if finding.range else None,
            text=_expression(finding),
        )
        for key, (report, finding) in sorted(entries.items(), key=lambda item: (item[1][0].model, item[0]))
    )


def write_baseline(path: Path, known: Sequence[BaselineEntry]) -> None:
    """Raises StorageError when the file cannot be written."""
    entries = [{name: getattr(item, name) for name in BaselineEntry.__slots__} for item in known]
    document = {"version": VERSION, "findings": entries}
    try:
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}", remedy="choose another --baseline") from error


def read_baseline(path: Path) -> Counter[str]:
    """Fingerprint -> how many findings with it are known.

    Raises:
        InputError: there is no such file, or it is no baseline.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']}")
        return Counter({str(item["fingerprint"]): int(item["count"]) for item in document["findings"]})
    except FileNotFoundError:
        raise InputError(
            f"there is no baseline {path}", remedy="write one: aipc check … --baseline FILE --write-baseline"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is no baseline of AIPC: {error}", remedy="write it again with --write-baseline"
        ) from error


def split(reports: Sequence[CheckReport], root: Path, baseline: Counter[str]) -> list[list[bool]]:
    """For each report, for each finding: whether it is new. Of equal ones, as many as the baseline counts are known."""
    left = Counter(baseline)
    rows = []
    for report in reports:
        states = []
        for finding in report.findings:
            key = fingerprint(finding, report, root)
            states.append(left[key] <= 0)
            left[key] -= 1
        rows.append(states)
    return rows


def _expression(finding: Finding) -> str:
    """The source text of a finding, white space made equal; "" where it cannot be read."""
    place = finding.range
    if place is None:
        return ""
    linecache.checkcache(place.file)
    lines = [linecache.getline(place.file, number) for number in range(place.start.line, place.end.line + 1)]
    if not lines:
        return ""
    lines[-1] = lines[-1][: place.end.column]
    lines[0] = lines[0][place.start.column :]
    return " ".join(" ".join(lines).split())
