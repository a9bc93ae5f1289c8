"""Judge: hold somebody's edits against the original by the gates of the agent."""

from __future__ import annotations

import threading
from dataclasses import replace

from aipc.agent.bench import Bench
from aipc.agent.edit_files import read_edits
from aipc.agent.judge import Judge, JudgedEdit
from aipc.agent.messages import Ask, Question
from aipc.agent.request import JudgeRequest
from aipc.agent.scratch import Scratch
from aipc.agent.verdicts import Agreement, EditProposal, GateResult, Goal, GoalKind, JudgeReport
from aipc.agent.visible import visible
from aipc.core.errors import InputError
from aipc.core.types import Event, Finding
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.qairt.runtime import require_qairt

from ._judging import judged_request, private_directory
from ._run import OnEvent, ignore


def judge(
    request: JudgeRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    *,
    ask: Ask | None = None,
) -> JudgeReport:
    """Judge edits of a model's source as the agent's own are judged. No file is changed.

    Args:
        ask: asks the user where the change is not shown to be equal; without it such a change is refused.

    Raises:
        AipcError: the model or the edits cannot be read, the finding is not there, or a part is missing.
    """
    qairt = require_qairt()
    subject = judged_request(request)
    proposed = read_edits(request.edits, subject.ref.root, request.unsaved)
    unsaved = {**request.unsaved, **proposed.original}
    subject = replace(subject, ref=replace(subject.ref, unsaved=unsaved))
    report = on_event or ignore
    cancel = cancel or threading.Event()
    with pool_or_new(pool) as workers, private_directory() as private:
        bench = Bench(subject, workers, private, report, cancel, request.readable, request.seconds)
        checked = bench.open()
        scratch = Scratch(subject.ref.root, unsaved)
        proposal = EditProposal(1, visible(proposed.title)[:200], proposed.edits)

        def consent(proposal: EditProposal, reason: str, sqnr_db: float | None = None) -> bool:
            needed = Agreement.needed(sqnr_db)
            if needed in request.agree or ask is None:
                return needed in request.agree
            question = Question(f"The change is not shown to be equal: {reason}. Take it?", ("yes", "no"), {})
            return (ask(question) or "no").strip().lower() in {"yes", "y"}

        def on_gate(gate: GateResult) -> None:
            report(Event("judge", f"{gate.name}: {'passed' if gate.ok else gate.words[:160]}"))

        target = _target(request.goal, checked.serious)
        case = JudgedEdit(proposal, scratch, checked, request.goal, target, request.approximate_db)
        judged = Judge(bench, consent, on_gate).judge(case)
    return JudgeReport(
        model=subject.ref.name,
        soc=subject.soc,
        precision=subject.precision,
        goal=request.goal,
        ok=judged.verdict.ok,
        verdict=judged.verdict,
        diffs=judged.scratch.diffs() if judged.scratch else {},
        title=proposal.title,
        qairt=qairt,
    )


def _target(goal: Goal, findings: tuple[Finding, ...]) -> Finding | None:
    """The finding that has to go; None where only nothing may become worse."""
    if goal.kind is not GoalKind.FINDING:
        return None
    target = next((item for item in findings if goal.names(item)), None)
    if target is None:
        raise InputError(f"the model has no {goal.description}", remedy="see what `aipc check` finds")
    return target
