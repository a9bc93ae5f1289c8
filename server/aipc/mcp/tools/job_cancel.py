"""``job_cancel``."""

from __future__ import annotations

from typing import Any

from ..tool import Call, Tool
from ._arguments import JOB


def _run(call: Call) -> Any:
    job = call.jobs.get(call.arguments["job"])
    job.cancel.set()
    job.end.wait(10)
    return job.document()


TOOL = Tool(
    name="job_cancel",
    title="Cancel a job",
    description="Stop a running job; its processes are ended. Nothing happens to one that has ended.",
    run=_run,
    properties={"job": JOB},
    required=("job",),
)
