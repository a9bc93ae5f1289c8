"""The worker jobs of this package. None runs code of the project: graphs and arrays are data."""

from aipc.core.accuracy import NodeAccuracy
from aipc.core.jobs import Job
from aipc.core.types import OutputAccuracy, PlacementReport

from .results import Compiled, Localization, Reduction, SimulatedRun

PLACE = Job("aipc.qairt.jobs:place", PlacementReport, runs_author_code=False)
EXTRACT = Job("aipc.qairt.jobs:extract", int, runs_author_code=False)
COMPILE = Job("aipc.qairt.package_jobs:compile", Compiled, runs_author_code=False)
RUN = Job("aipc.qairt.package_jobs:run", SimulatedRun, runs_author_code=False)
RUN_ALL = Job("aipc.qairt.package_jobs:run_all", int, runs_author_code=False)
COMPARE = Job("aipc.qairt.package_jobs:compare", tuple[OutputAccuracy, ...], runs_author_code=False)
LOCALIZE = Job("aipc.qairt.package_jobs:localize", Localization, runs_author_code=False)
REDUCE = Job("aipc.qairt.package_jobs:reduce", Reduction, runs_author_code=False)
NODE_ACCURACY = Job("aipc.qairt.node_accuracy:node_accuracy", NodeAccuracy, runs_author_code=False)
SLICES = Job("aipc.numerics.slices:slices", tuple[OutputAccuracy, ...], runs_author_code=False)
WRITE_DLC = Job("aipc.qairt.dlc:write", str, runs_author_code=False)
