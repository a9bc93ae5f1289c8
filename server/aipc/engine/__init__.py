"""What a user asks for. The only module that front doors call; it imports nothing heavy. One file a request.

A request's file is imported when the request is first named: a check does not wait for what an agent needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aipc.agent.request import AgentRequest, JudgeRequest
    from aipc.apps.results import AppCheckReport, AppReport, AppRunReport
    from aipc.core.requests import (
        ApplicationRequest,
        CheckRequest,
        DeployRequest,
        EvaluationRequest,
        QuantizeRequest,
        RunRequest,
        VerifyRequest,
    )
    from aipc.core.types import DeployReport
    from aipc.report.sweep_comparison import compare_sweeps
    from aipc.samples.sample import language_of, write_sample

    from ._run import OnEvent
    from .agent_deploy import deploy_with_agent
    from .agent_run import AgentEvent, agent
    from .application_packages import application_package, configured_application, run_application, verify_application
    from .applications import check_application, deploy_application
    from .caching import CacheReport, cache
    from .check_records import graph, node_accuracy, runs
    from .checking import captured_files, check, opened_run
    from .checking_all import CheckAllReport, check_all, judged, models_to_check, repository_root
    from .chips import deploy
    from .comparing import compare, read_report
    from .documents import operator_document, targets_document
    from .evaluating import evaluate
    from .explaining import RuleExplanation, explain, meanings
    from .inputs import configure, infer
    from .judging import judge
    from .node_placement import PlacementAnswer, placement
    from .operators import probe_operators, recheck_operators, rewrite_operators
    from .packages import (
        RunReport,
        VerifyAllReport,
        VerifyReport,
        packages_to_verify,
        run_options,
        run_package,
        verify,
        verify_all,
    )
    from .quantizing import QuantizeReport, quantize
    from .replay import RecordedReport, verify_recorded
    from .samples import run_samples
    from .sweep import SweepRequest, read_sweep, run_sweep
    from .target_devices import ExaminedDevice, examine_target, targets

__all__ = [
    "AgentEvent",
    "AgentRequest",
    "AppCheckReport",
    "AppReport",
    "AppRunReport",
    "ApplicationRequest",
    "CacheReport",
    "CheckAllReport",
    "CheckRequest",
    "DeployReport",
    "DeployRequest",
    "EvaluationRequest",
    "ExaminedDevice",
    "JudgeRequest",
    "OnEvent",
    "PlacementAnswer",
    "QuantizeReport",
    "QuantizeRequest",
    "RecordedReport",
    "RuleExplanation",
    "RunReport",
    "RunRequest",
    "SweepRequest",
    "VerifyAllReport",
    "VerifyReport",
    "VerifyRequest",
    "agent",
    "application_package",
    "cache",
    "captured_files",
    "check",
    "check_all",
    "check_application",
    "compare",
    "compare_sweeps",
    "configure",
    "configured_application",
    "deploy",
    "deploy_application",
    "deploy_with_agent",
    "evaluate",
    "examine_target",
    "explain",
    "graph",
    "infer",
    "judge",
    "judged",
    "language_of",
    "meanings",
    "models_to_check",
    "node_accuracy",
    "opened_run",
    "operator_document",
    "packages_to_verify",
    "placement",
    "probe_operators",
    "quantize",
    "read_report",
    "read_sweep",
    "recheck_operators",
    "repository_root",
    "rewrite_operators",
    "run_application",
    "run_options",
    "run_package",
    "run_samples",
    "run_sweep",
    "runs",
    "targets",
    "targets_document",
    "verify",
    "verify_all",
    "verify_application",
    "verify_recorded",
    "write_sample",
]

_HOMES = {
    "aipc.agent.request": "AgentRequest JudgeRequest",
    "aipc.core.requests": "ApplicationRequest CheckRequest DeployRequest EvaluationRequest QuantizeRequest RunRequest "
    "VerifyRequest",
    "aipc.apps.results": "AppCheckReport AppReport AppRunReport",
    "aipc.core.types": "DeployReport",
    "aipc.samples.sample": "language_of write_sample",
    "._run": "OnEvent",
    ".agent_run": "AgentEvent agent",
    ".agent_deploy": "deploy_with_agent",
    ".application_packages": "application_package configured_application run_application verify_application",
    ".applications": "check_application deploy_application",
    ".caching": "CacheReport cache",
    ".checking": "captured_files check opened_run",
    ".checking_all": "CheckAllReport check_all judged models_to_check repository_root",
    ".chips": "deploy",
    ".comparing": "compare read_report",
    ".documents": "operator_document targets_document",
    ".evaluating": "evaluate",
    ".explaining": "RuleExplanation explain meanings",
    ".inputs": "configure infer",
    ".judging": "judge",
    ".operators": "probe_operators recheck_operators rewrite_operators",
    ".packages": "RunReport VerifyAllReport VerifyReport packages_to_verify run_options run_package verify verify_all",
    ".target_devices": "ExaminedDevice examine_target targets",
    ".node_placement": "PlacementAnswer placement",
    ".quantizing": "QuantizeReport quantize",
    ".replay": "RecordedReport verify_recorded",
    ".check_records": "graph node_accuracy runs",
    ".samples": "run_samples",
    ".sweep": "SweepRequest read_sweep run_sweep",
    "aipc.report.sweep_comparison": "compare_sweeps",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

if not TYPE_CHECKING:  # else a name that is not there would pass for anything

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME_OF[name], __name__), name)
        globals()[name] = value
        return value
