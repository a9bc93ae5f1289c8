"""``job_result``."""

from __future__ import annotations

from typing import Any

from aipc.core.errors import InputError

from ..tool import Call, Tool
from ._arguments import JOB


def _run(call: Call) -> Any:
    job = call.jobs.get(call.arguments["job"])
    if job.answer is None or not job.end.is_set():
        raise InputError(f"the job {job.id} is still running", remedy="ask for it with job_status and wait")
    return job.answer


TOOL = Tool(
    name="job_result",
    title="Answer of a job",
    description="The answer of a job that has ended: what its tool would have answered, an error included.",
    run=_run,
    properties={"job": JOB},
    required=("job",),
)
