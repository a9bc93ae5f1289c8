"""The worker jobs of this package."""

from aipc.core.jobs import Job
from aipc.core.types import OutputAccuracy

from .examination import Divergence, Examined, PackageProbe

EXAMINE = Job("aipc.probes.jobs:examine", Examined, runs_author_code=True)
EXPLAIN_EXAMPLE = Job("aipc.probes.jobs:explain_example", Divergence, runs_author_code=True)
ON_GRAPH = Job("aipc.probes.jobs:on_graph", dict[str, tuple[OutputAccuracy, ...]], runs_author_code=False)
ON_PACKAGE = Job("aipc.probes.jobs:on_package", tuple[PackageProbe, ...], runs_author_code=False)
COMPARE_FINITE = Job("aipc.probes.jobs:compare_finite", tuple[OutputAccuracy, ...], runs_author_code=False)
