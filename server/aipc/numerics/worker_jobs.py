"""The worker jobs of this package. None runs code of the project: graphs and arrays are data."""

from aipc.core.jobs import Job
from aipc.core.types import OutputAccuracy

COMPARE = Job("aipc.numerics.compare:compare", tuple[OutputAccuracy, ...], runs_author_code=False)
COMPARE_SAMPLES = Job("aipc.numerics.samples:compare_samples", tuple[OutputAccuracy, ...], runs_author_code=False)
NOISIEST = Job("aipc.numerics.samples:noisiest", int, runs_author_code=False)
ON_CPU = Job("aipc.numerics.samples:on_cpu", tuple[OutputAccuracy, ...], runs_author_code=False)
SLICES = Job("aipc.numerics.slices:slices", tuple[OutputAccuracy, ...], runs_author_code=False)
