"""``job_status``."""

from __future__ import annotations

from typing import Any

from ..tool import Call, Tool
from ._arguments import JOB


def _run(call: Call) -> Any:
    job = call.jobs.get(call.arguments["job"])
    seconds = min(float(call.get("wait", 0.0)), 60.0)
    while seconds > 0 and not call.cancel.is_set() and not job.end.wait(min(0.2, seconds)):
        seconds -= 0.2
    return job.document()


TOOL = Tool(
    name="job_status",
    title="State of a job",
    description="State and last progress of a job that was started with background; with wait, after its end or "
    "after so many seconds.",
    run=_run,
    properties={
        "job": JOB,
        "wait": {"type": "number", "minimum": 0, "maximum": 60, "description": "Seconds to wait for its end."},
    },
    required=("job",),
)
