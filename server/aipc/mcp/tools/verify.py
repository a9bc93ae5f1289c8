"""``verify``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.core.requests import VerifyRequest

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by


def _run(call: Call) -> Any:
    request = request_of(call, VerifyRequest)
    answer = engine.verify_all(
        (request.package,),
        request.target or "simulator",
        call.pool,
        call.on_event,
        call.cancel,
        setup=request.setup,
        every=False,
        cwd=call.workspace.root,
    )
    return answer.reports[0]


TOOL = Tool(
    name="verify",
    title="Verify a package",
    description="Run a deployed package on its golden inputs again and compare with PyTorch's outputs. ok is false if "
    "they differ by more than its deployment allowed.",
    run=_run,
    properties=properties_of(VerifyRequest),
    required=required_by(VerifyRequest),
    long=True,
    target=lambda call: str(call.get("target", "simulator")),
)
