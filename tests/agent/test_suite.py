"""The suite for real endpoints, against one that plays the recorded replies over HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .cases import Case, all_cases
from .scripted import Says, of_trajectory, served
from .suite import main

ROW = re.compile(r"^(\w+) +(\S+) +(yes|no) +(\d+) [ ~] *(\d+) +(\d+) +(\S+) +(\d+)$", re.MULTILINE)
QUICK = ("branch_on_sum", "missing_inputs")


def steps(cases: list[Case]) -> list[Says]:
    return [step for case in cases for step in of_trajectory(case.trajectory)]


def test_the_suite_prints_what_each_case_took(monkeypatch, capsys, tmp_path: Path):
    cases = [case for case in all_cases() if case.name in QUICK]
    played = steps(cases)
    with served(*played) as (url, script):
        monkeypatch.setenv("AIPC_AGENT_MODEL", "scripted")
        monkeypatch.setenv("AIPC_AGENT_BASE_URL", url)
        monkeypatch.setenv("AIPC_AGENT_INPUT_PRICE", "10")
        monkeypatch.setenv("AIPC_AGENT_OUTPUT_PRICE", "20")
        assert main([*QUICK, "--keep", str(tmp_path)]) == 0
    assert len(script.requests) == len(played)
    assert {request["model"] for request in script.requests} == {"scripted"}
    printed = capsys.readouterr().out
    assert printed.split()[:8] == ["case", "ended", "as", "expected", "rounds", "prompt", "reply", "cost"]
    rows = ROW.findall(printed)
    assert [(row[0], row[1], row[2]) for row in rows] == [(case.name, case.expect, "yes") for case in cases]
    for row in rows:
        rounds, prompt, reply = map(int, row[3:6])
        assert (prompt, reply) == (100 * rounds, 20 * rounds), "as the endpoint counts them"
        assert float(row[6]) == pytest.approx((prompt * 10 + reply * 20) / 1e6, abs=1e-4)
    assert printed.splitlines()[-1] == f"2 of 2 as expected, {len(played)} rounds, {120 * len(played)} tokens"


def test_an_endpoint_that_is_not_configured_is_told_at_once(capsys):
    assert main([QUICK[0]]) == 2
    assert "AIPC_AGENT_MODEL" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_command_plays_every_case():
    cases = all_cases()
    root = Path(__file__).parents[2]
    with served(*steps(cases)) as (url, script):
        environment = {**os.environ, "AIPC_AGENT_MODEL": "scripted", "AIPC_AGENT_BASE_URL": url}
        command = [sys.executable, "-m", "tests.agent.suite"]
        finished = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    rows = ROW.findall(finished.stdout)
    assert [(row[0], row[1], row[2]) for row in rows] == [(case.name, case.expect, "yes") for case in cases]
    assert len(script.requests) == len(steps(cases))
