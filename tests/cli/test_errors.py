"""Errors: a sentence on stderr, one JSON document on stdout with --json, the right status, no traceback."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from aipc import cli, doctor
from aipc.core.errors import AipcError, CancelledError, ModelLoadError
from aipc.core.types import Position, Range

PLACE = Range("model.py", Position(3, 4), Position(3, 9))


def raising(error: BaseException) -> Callable[[], doctor.DoctorReport]:
    def examine() -> doctor.DoctorReport:
        raise error

    return examine


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, *options: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(doctor, "examine", raising(error))
    status = cli.run(["doctor", *options])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_an_error_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    error = ModelLoadError("there is no\n  such thing", remedy="look elsewhere", range=PLACE, detail="secret")
    status, out, err = run(monkeypatch, capsys, error)
    assert (status, out) == (2, "")
    assert err == "error: model.py:3: there is no such thing — look elsewhere\n"


def test_an_error_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    error = ModelLoadError("no such thing", remedy="look elsewhere", range=PLACE)
    status, out, _ = run(monkeypatch, capsys, error, "--json")
    assert status == 2
    assert json.loads(out) == {
        "error": {
            "kind": "ModelLoadError",
            "message": "no such thing",
            "remedy": "look elsewhere",
            "range": {
                "file": "model.py",
                "start": {"line": 3, "column": 4},
                "end": {"line": 3, "column": 9},
            },
        }
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt(), CancelledError("interrupted")])
def test_interruption(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(monkeypatch, capsys, error, "--json")
    assert status == 130
    assert json.loads(out)["error"]["kind"] == "CancelledError"
    assert "Traceback" not in err


def test_a_defect_says_how_to_report_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(monkeypatch, capsys, ZeroDivisionError("division by zero"))
    assert status == 2
    assert "ZeroDivisionError" in err
    assert "--debug" in err
    assert "Traceback" not in err


def test_debug_shows_traceback_and_detail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(monkeypatch, capsys, AipcError("wrong", detail="the compiler's words"), "--debug")
    assert status == 2
    assert "Traceback" in err
    assert "the compiler's words" in err


def test_something_missing_is_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    report = doctor.DoctorReport(False, (doctor.Item("torch", False, True, "not installed", "pip install torch"),))
    monkeypatch.setattr(doctor, "examine", lambda: report)
    assert cli.run(["doctor"]) == 1
    assert "pip install torch" in capsys.readouterr().out
    assert cli.run(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["items"][0]["remedy"] == "pip install torch"


@pytest.mark.parametrize("arguments", [["dector"], ["doctor", "--jsn"], ["doctor", "surplus"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["kind"] == "UsageError"
    assert len(captured.err.splitlines()) == 1


def test_a_reader_that_went_away_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "aipc", "doctor", "--json"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writer)
    assert finished.returncode in (0, 1)
    assert finished.stderr == ""


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.EDQUOT, errno.ENAMETOOLONG])
def test_what_the_file_system_refuses_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    status, _, err = run(monkeypatch, capsys, OSError(number, os.strerror(number), "/somewhere/file"))
    assert status == 2 and err.startswith(f"error: /somewhere/file: {os.strerror(number)}") and " — " in err
    assert "defect" not in err
