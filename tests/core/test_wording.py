"""Messages are sentences, figures have a unit and few digits, and original words are headed by whose they are."""

from __future__ import annotations

import pytest

from aipc.core.types import Finding, Gate, Severity
from aipc.core.wording import counted, gate_figures, gate_text, original_words, sentence

INFINITE = float("inf")


@pytest.mark.parametrize(
    ("what", "remedy", "expected"),
    [
        ("there is no file", "create it", "There is no file. Create it."),
        ("the shape depends on the input.", "", "The shape depends on the input."),
        ("model.py has 2 models", "name one", "model.py has 2 models. Name one."),
        ("forward raised IndexError", "", "forward raised IndexError."),
        ("self.conv is a TorchScript module", "", "self.conv is a TorchScript module."),
        ("float64 is computed in float32", "", "float64 is computed in float32."),
        ("x has rank 6", "", "x has rank 6."),
        ("a graph keeps nothing", "", "A graph keeps nothing."),
    ],
)
def test_a_message_is_made_of_sentences_and_names_of_code_stay(what, remedy, expected):
    assert sentence(what, remedy) == expected


def test_one_is_not_counted_in_the_plural():
    assert [counted(number, "node") for number in (0, 1, 2)] == ["0 nodes", "1 node", "2 nodes"]
    assert counted(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("metric", "value", "threshold", "ok", "expected"),
    [
        ("captured", 1.0, 1.0, True, "captured"),
        ("captured", 0.0, 1.0, False, "not captured"),
        ("nodes off the NPU", 1.0, 0.0, False, "1 node off the NPU"),
        ("float graph", 1.0, 1.0, True, ""),
        ("sqnr_db", 66.123456789012, 40.0, True, "SQNR 66.1 dB, wanted 40 dB"),
        ("sqnr_db", -3.25, 20.5, False, "SQNR -3.2 dB, wanted 20.5 dB"),
        ("sqnr_db", INFINITE, 100.0, True, "SQNR exact, wanted 100 dB"),
        ("sqnr_db", None, 40.0, False, "SQNR not measured, wanted 40 dB"),
        ("max_abs", 0.0123456789, 0.01, False, "max abs 0.01235, wanted 0.01"),
    ],
)
def test_a_gate_has_its_unit_and_few_digits(metric, value, threshold, ok, expected):
    assert gate_figures(metric, value, threshold, ok=ok) == expected


def test_a_gate_without_figures_is_its_detail():
    assert gate_text(Gate("probes", 0.0, 0.0, True, "no probe could be judged")) == "no probe could be judged"
    assert gate_text(Gate("sqnr_db", 5.0, 40.0, False, "output y")) == "SQNR 5 dB, wanted 40 dB (output y)"


@pytest.mark.parametrize(
    ("rule", "heading"),
    [("einsum", "QAIRT"), ("runs-on-cpu", "QAIRT"), ("capture-failed", "PyTorch"), ("cannot-check", "Details")],
)
def test_original_words_are_headed_by_whose_they_are(rule, heading):
    finding = Finding(rule, Severity.ERROR, "It fails.", None, "RuntimeError:\n  no such thing")
    assert original_words(finding) == f"{heading}: RuntimeError: no such thing"
    assert original_words(finding, one_line=False) == f"{heading}: RuntimeError:\n  no such thing"
    assert original_words(Finding(rule, Severity.ERROR, "It fails.", None)) == ""
