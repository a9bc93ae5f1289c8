"""The light bulb offers the agent where no proved fix solves a finding, to clients that have its commands."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from aipc.core.types import CheckReport, Finding, Fix, Position, Range, Severity
from aipc.lsp.agent_actions import agent_actions
from aipc.lsp.check_state import CheckState
from aipc.lsp.server import AipcServer
from aipc.lsp.start import create

MODEL = "model.py:Model"
PLACE = Range("/project/model.py", Position(3, 8), Position(3, 20))


def server_with(*fixes: Fix) -> AipcServer:
    server = create()
    server.offers_agent = True
    finding = Finding("einsum", Severity.WARNING, "runs on the CPU", PLACE, nodes=("node",), fixes=fixes)
    report = CheckReport(MODEL, "sm8650", "fp16", "2.51.0", 1, {}, (finding,), {})
    server.results[MODEL] = CheckState(MODEL, report, {}, {})
    return server


def diagnostic(
    code: str = "einsum",
    nodes: tuple[str, ...] = ("node",),
    severity: lsp.DiagnosticSeverity = lsp.DiagnosticSeverity.Warning,
    model: str = MODEL,
) -> lsp.Diagnostic:
    place = lsp.Range(lsp.Position(2, 8), lsp.Position(2, 20))
    data = {"model": model, "nodes": list(nodes)}
    return lsp.Diagnostic(place, "message", severity=severity, code=code, source="aipc", data=data)


def titles(server: AipcServer, *found: lsp.Diagnostic) -> list[str]:
    return [action.title for action in agent_actions(server, found, "file:///project/model.py")]


REWRITE, DEPLOYABLE = "Let the agent rewrite this layer", "Let the agent make this model deployable"


def test_a_finding_without_a_proved_fix_has_both_actions() -> None:
    assert titles(server_with(), diagnostic()) == [REWRITE, DEPLOYABLE]


def test_the_command_says_what_to_work_on() -> None:
    (action, _) = agent_actions(server_with(), [diagnostic()], "file:///project/model.py")
    assert action.command.command == "aipc.agent.rewrite"
    assert action.command.arguments == [
        {"model": MODEL, "uri": "file:///project/model.py", "rule": "einsum", "line": 3, "nodes": ["node"]}
    ]


def test_a_finding_with_a_proved_fix_needs_no_agent() -> None:
    fix = Fix("matmul", "einsum", proved=True, edits=((PLACE, "x"),))
    assert titles(server_with(fix), diagnostic()) == []
    unproved = Fix("matmul", "einsum", proved=False, edits=((PLACE, "x"),))
    assert titles(server_with(unproved), diagnostic()) == [REWRITE, DEPLOYABLE]


def test_what_deploy_solves_by_itself_needs_no_agent() -> None:
    assert titles(server_with(), diagnostic(severity=lsp.DiagnosticSeverity.Information)) == []


def test_a_model_that_does_not_load_can_be_made_deployable_only() -> None:
    found = diagnostic("cannot-check", nodes=(), severity=lsp.DiagnosticSeverity.Error)
    assert titles(server_with(), found) == [DEPLOYABLE]
    found = diagnostic("capture-data-dependent", nodes=(), severity=lsp.DiagnosticSeverity.Error)
    assert titles(server_with(), found) == [REWRITE, DEPLOYABLE]


def test_what_the_text_alone_says_has_no_model_to_work_on() -> None:
    assert titles(server_with(), diagnostic(model="")) == []


@pytest.mark.parametrize("name", ["offers_agent", "trusted"])
def test_neither_without_the_commands_nor_in_restricted_mode(name: str) -> None:
    server = server_with()
    setattr(server, name, False)
    assert titles(server, diagnostic()) == []


def test_one_action_a_model() -> None:
    assert titles(server_with(), diagnostic(), diagnostic("other")) == [REWRITE, REWRITE, DEPLOYABLE]
