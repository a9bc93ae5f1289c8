"""The agent as one step of a deployment, where the user allowed it."""

from __future__ import annotations

import threading
from dataclasses import replace

from aipc.agent.messages import Ask, Endpoint
from aipc.agent.request import AgentRequest
from aipc.agent.verdicts import AgentReport, Budget
from aipc.core.errors import AipcError, CancelledError, InputError
from aipc.core.requests import DeployRequest
from aipc.core.types import DeployReport
from aipc.core.workers import WorkerPool, pool_or_new

from ._run import OnEvent
from .agent_run import agent
from .chips import deploy


def deploy_with_agent(
    request: DeployRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    *,
    budget: Budget | None = None,
    endpoint: Endpoint | None = None,
    ask: Ask | None = None,
    apply: bool = False,
) -> tuple[DeployReport, AgentReport | None]:
    """Deploy; where a gate is not passed, let the agent edit the source, and deploy again what it could prove.

    The edits are written to the files when the agent reached its goal and the user accepts them.

    Args:
        ask: asks the user, also for the word to write; without it nothing is written.
        apply: the user's word to write, given ahead.

    Raises:
        AipcError: a stage could not be run and the agent could not help, or no endpoint is configured.
    """
    with pool_or_new(pool) as workers:
        first: DeployReport | None = None
        try:
            first = deploy(request, workers, on_event, cancel)
        except CancelledError:
            raise
        except InputError as error:
            # Without example inputs nothing begins; that is a goal of the agent's too.
            cause: AipcError = error
        if first is not None and first.ok:
            return first, None
        agent_request = AgentRequest(
            request.model,
            soc=first.soc.partition(",")[0] if first else request.soc,
            budget=budget or Budget(),
            inputs=request.inputs,
            apply=apply,
            offer=True,
            cwd=request.cwd,
            precision=first.precision if first else request.precision,
            calibration=request.calibration,
        )
        report = agent(agent_request, workers, on_event, cancel, endpoint=endpoint, ask=ask)
        if report.applied:
            return replace(deploy(request, workers, on_event, cancel), agent=report.trace), report
        if first is None:
            raise cause
        return replace(first, agent=report.trace), report
