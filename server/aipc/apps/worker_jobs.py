"""The worker jobs of this package. An application's entry and tokenizer may be code of the author."""

from typing import Any

from aipc.core.answers import Answer
from aipc.core.jobs import Job

from .results import Planned

MAKE_PLAN = Job("aipc.apps.jobs:plan", Planned, runs_author_code=True)
ANSWERS = Job("aipc.apps.jobs:answers", tuple[Answer, ...], runs_author_code=True)
RUN_APPLICATION = Job("aipc.apps.run_package:run_application", dict[str, Any], runs_author_code=False)
RUN_GENIE = Job("aipc.apps.run_genie:run_genie", tuple[Answer, ...], runs_author_code=False)
