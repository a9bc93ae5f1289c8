"""The worker jobs of this package. None runs code of the project: graphs and arrays are data."""

from aipc.core.jobs import Job
from aipc.core.types import PlacementReport

from .compile_results import Compiled, SimulatedRun

PLACE = Job("aipc.qairt.jobs:place", PlacementReport, runs_author_code=False)
COMPILE = Job("aipc.qairt.package_jobs:compile", Compiled, runs_author_code=False)
RUN = Job("aipc.qairt.package_jobs:run", SimulatedRun, runs_author_code=False)
RUN_ALL = Job("aipc.qairt.package_jobs:run_all", int, runs_author_code=False)
WRITE_DLC = Job("aipc.qairt.dlc:write", str, runs_author_code=False)
