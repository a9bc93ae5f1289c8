"""The worker jobs of this package. Running a package executes its runner, which may come from anywhere."""

from aipc.core.jobs import Job

from .base import Description, TargetRun

EXECUTE = Job("aipc.targets.jobs:execute", TargetRun, runs_author_code=True)
REACH = Job("aipc.targets.jobs:reach", Description, runs_author_code=False)
DESCRIBE = Job("aipc.targets.jobs:describe", Description, runs_author_code=False)
