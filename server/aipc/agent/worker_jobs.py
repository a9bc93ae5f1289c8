"""The worker jobs of this package. ``CONFINE`` and ``ORDINARY`` start the sandboxes themselves."""

from typing import Any

from aipc.core.jobs import Job

from .job_results import Forwarded, OrdinaryAnswers, Reference, SideComparison
from .messages import Reply

CONFINE = Job("aipc.agent.confine:run", dict[str, Any], runs_author_code=False)
REFERENCE = Job("aipc.agent.jobs:reference", Reference, runs_author_code=True)
FORWARD = Job("aipc.agent.jobs:forward", Forwarded, runs_author_code=True)
ORDINARY = Job("aipc.agent.ordinary:run", OrdinaryAnswers, runs_author_code=False)
HELD_OUT = Job("aipc.agent.jobs:held_out", tuple[str, ...], runs_author_code=False)
HOLD = Job("aipc.agent.jobs:hold", tuple[SideComparison, ...], runs_author_code=False)
HOLD_ARRAYS = Job("aipc.agent.jobs:hold_arrays", tuple[SideComparison, ...], runs_author_code=False)
SIMULATE = Job("aipc.agent.jobs:simulate", tuple[SideComparison, ...], runs_author_code=False)
FOREIGN_NAMES = Job("aipc.agent.names:foreign", dict[str, str], runs_author_code=False)
COMPLETE = Job("aipc.agent.llm_job:complete", Reply, runs_author_code=False)
