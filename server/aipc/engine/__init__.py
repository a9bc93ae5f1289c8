"""What a user asks for. The only module that front doors call; it imports nothing heavy. One file a request."""

from ._run import OnEvent
from .checking import CheckRequest, check, opened_run
from .deploying import DeployRequest, deploy
from .inputs import configure, infer
from .operators import probe_operators, recheck_operators, rewrite_operators
from .packages import RunReport, VerifyReport, run_package, verify
from .places import targets
from .quantizing import QuantizeReport, QuantizeRequest, quantize
from .results import graph, node_accuracy, runs

__all__ = [
    "CheckRequest",
    "DeployRequest",
    "OnEvent",
    "QuantizeReport",
    "QuantizeRequest",
    "RunReport",
    "VerifyReport",
    "check",
    "configure",
    "deploy",
    "graph",
    "infer",
    "node_accuracy",
    "opened_run",
    "probe_operators",
    "quantize",
    "recheck_operators",
    "rewrite_operators",
    "run_package",
    "runs",
    "targets",
    "verify",
]
