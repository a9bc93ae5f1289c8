"""QNN's error codes are what the installed QAIRT says they are, and logs that speak of them are understood."""

from __future__ import annotations

import pytest

from aipc.core.child_process import run_isolated
from aipc.qairt import error_codes
from aipc.qairt.error_codes import all_codes, ask_codes, explain_failure, find_errors
from aipc.qairt.runtime import qairt_version


def test_the_data_is_what_the_library_says():
    asked = run_isolated(ask_codes, seconds=60)
    assert asked.status == "ok", asked.reason
    assert asked.value["qairt"] == qairt_version()
    known = {str(error.code): f"{error.name}: {error.text}" for error in all_codes().values()}
    assert known == asked.value["codes"]


def test_every_meaning_belongs_to_a_code_that_exists():
    assert set(error_codes._MEANINGS) <= set(all_codes())
    assert all(meaning and remedy for meaning, remedy in error_codes._MEANINGS.values())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("QnnDsp <E> Failed to create context from binary with err 0x138d", 5005),
        ("[ ERROR ] Could not create context from binary. Error code: 5000", 5000),
        ("Failed to deserialize: QNN_CONTEXT_ERROR_BINARY_VERSION", 5004),
        ("QnnBackend_create failed with error 4000", 4000),
        ("graph finalize error code: 1002", 1002),
        ("QnnDevice_create failed with status 0x7f00000036b1", 14001),
        ("QnnDsp <W> Failed to load skel, error: 4000\nerror: 1002", 1008),
        ("DspTransport.openSession qnn_open failed, 0x80000406", 1008),
        ("result: 14002", 14002),
    ],
)
def test_logs_are_understood(words, code):
    found = explain_failure(words)
    assert found.code == code
    assert found.remedy


@pytest.mark.parametrize("words", ["", "took 1002 ms", "5000 nodes", "error 42", "error 999999", "line 1002: x"])
def test_other_numbers_are_none(words):
    assert find_errors(words) == ()


def test_the_telling_one_comes_first():
    words = "error: 1002 ... error code 14001 ... Failed to load skel"
    assert [error.code for error in find_errors(words)] == [14001, 1008, 1002]
    assert "14001, QNN_DEVICE_ERROR_INVALID_CONFIG" in find_errors(words)[0].sentence
