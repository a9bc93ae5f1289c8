"""``evaluation.html``: a metric of PyTorch and of the package, with the worst samples, in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .notebook import environment

if TYPE_CHECKING:
    from aipc.evaluation.evaluation_report import EvaluationReport


def render_evaluation(report: EvaluationReport) -> str:
    """The whole page. Every text from outside is escaped by the template."""
    text: str = environment().get_template("evaluation.html").render(report=report)
    return text
