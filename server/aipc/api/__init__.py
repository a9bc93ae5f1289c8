"""The functions and types that ``import aipc`` offers. One file a request; imports no heavy library."""

from .checking import check
from .comparing import compare
from .deploying import deploy
from .evaluating import evaluate
from .loading import Package, load
from .results import CheckReport, Comparison, DeployReport

__all__ = ["CheckReport", "Comparison", "DeployReport", "Package", "check", "compare", "deploy", "evaluate", "load"]
