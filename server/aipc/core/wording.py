"""How messages are written: sentences, counts, gates, and whose words stand beside a finding."""

from __future__ import annotations

import re

from .types import Finding, Gate

_WORD = re.compile(r"[a-z]+(?=[ ,;:'])")
_CODE_WORDS = {"forward"}
"""First words that are names of code, as the author writes them."""


def sentence(what: str, remedy: str = "") -> str:
    """``what`` and what to do about it as sentences, with capitals unless a name of code comes first."""
    return " ".join(_closed(capitalized(text)) for text in (what.strip(), remedy.strip()) if text)


def capitalized(text: str) -> str:
    """The text with a capital first, unless it begins with a name of code such as ``forward`` or ``model.py``."""
    match = _WORD.match(text)
    if match is None or match[0] in _CODE_WORDS or (len(match[0]) == 1 and match[0] != "a"):
        return text
    return text[0].upper() + text[1:]


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def counted(number: int, noun: str, plural: str = "") -> str:
    """For example ``1 node``, ``2 nodes``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def gate_figures(metric: str, value: float | None, threshold: float, *, ok: bool) -> str:
    """What a gate measured, with its unit, and what was wanted; empty where nothing was measured for it."""
    if metric == "captured":
        return "captured" if ok else "not captured"
    if metric == "nodes off the NPU":
        return f"{counted(round(value or 0), 'node')} off the NPU"
    if metric in {"float graph", "probes"}:
        return ""
    name, unit = ("SQNR", " dB") if metric == "sqnr_db" else (metric.replace("_", " "), "")
    wanted = f"wanted {_figure(threshold, unit)}{unit}"
    if value is None:
        return f"{name} not measured, {wanted}"
    if value == float("inf"):
        return f"{name} exact, {wanted}"
    return f"{name} {_figure(value, unit)}{unit}, {wanted}"


def _figure(value: float, unit: str) -> str:
    """Decibels to a tenth, other figures to four digits."""
    return f"{value:.1f}".removesuffix(".0") if unit else f"{value:.4g}"


def gate_text(gate: Gate) -> str:
    """A gate in one clause, for journals and messages."""
    figures = gate_figures(gate.metric, gate.value, gate.threshold, ok=gate.ok)
    return f"{figures}{f' ({gate.detail})' if gate.detail and figures else gate.detail}"


def words_heading(rule: str) -> str:
    """Whose original words stand beside a finding: the compiler's, the exporter's, or those of the author's code."""
    if rule.startswith("capture-"):
        return "PyTorch"
    return "Details" if rule == "cannot-check" else "QAIRT"


def original_words(finding: Finding, *, one_line: bool = True) -> str:
    """For example ``QAIRT: Pad mode only support constant``; empty where there are none.

    Args:
        one_line: without the line breaks that they have.
    """
    if not finding.compiler:
        return ""
    original = " ".join(finding.compiler.split()) if one_line else finding.compiler
    return f"{words_heading(finding.rule)}: {original}"
