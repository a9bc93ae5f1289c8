"""The worker jobs of this package. None runs code of the project: graphs and arrays are data."""

from aipc.core.accuracy import NodeAccuracy
from aipc.core.jobs import Job

from .types import Localization, Reduction

LOCALIZE = Job("aipc.debug.jobs:localize", Localization, runs_author_code=False)
REDUCE = Job("aipc.debug.jobs:reduce", Reduction, runs_author_code=False)
EXTRACT = Job("aipc.debug.jobs:extract", int, runs_author_code=False)
NODE_ACCURACY = Job("aipc.debug.attribute:node_accuracy", NodeAccuracy, runs_author_code=False)
