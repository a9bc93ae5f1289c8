"""The worker jobs of this package: the catalogue is our own code."""

from typing import Any

from aipc.core.jobs import Job

from .data import Coverage
from .measurements import Described

DESCRIBE = Job("aipc.ops.jobs:describe", list[Described], runs_author_code=False)
PROBE = Job("aipc.ops.jobs:probe", type(None), runs_author_code=False)
PROBE_REWRITTEN = Job("aipc.ops.jobs:probe_rewritten", type(None), runs_author_code=False)
COMPLETE = Job("aipc.ops.jobs:complete", tuple[dict[str, tuple[Any, ...]], Coverage], runs_author_code=False)
