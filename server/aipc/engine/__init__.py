"""What a user asks for. The only module that front doors call; it imports nothing heavy. One file a request."""

from aipc.core.types import DeployReport

from ._run import OnEvent
from .checking import CheckRequest, check, opened_run
from .deploying import DeployRequest, deploy
from .inputs import configure, infer
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
from .places import Examined, examine_target, targets
from .results import graph, node_accuracy, runs

__all__ = [
    "CheckRequest",
    "DeployReport",
    "DeployRequest",
    "Examined",
    "OnEvent",
    "RunReport",
    "VerifyAllReport",
    "VerifyReport",
    "check",
    "configure",
    "deploy",
    "examine_target",
    "graph",
    "infer",
    "node_accuracy",
    "opened_run",
    "packages_to_verify",
    "probe_operators",
    "recheck_operators",
    "rewrite_operators",
    "run_options",
    "run_package",
    "runs",
    "targets",
    "verify",
    "verify_all",
]
