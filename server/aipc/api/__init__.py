"""The functions and types that ``import aipc`` offers. One file a request; imports no heavy library."""

from .checking import check
from .deploying import deploy
from .loading import Package, load
from .results import CheckReport, DeployReport

__all__ = ["CheckReport", "DeployReport", "Package", "check", "deploy", "load"]
