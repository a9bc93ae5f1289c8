"""The worker jobs of this package. Those that load a model run its code."""

from aipc.core.jobs import Job
from aipc.core.types import OutputAccuracy

from .capture_result import CaptureResult, InferredInputs

CAPTURE = Job("aipc.capture.jobs:capture", CaptureResult, runs_author_code=True)
INFER = Job("aipc.capture.jobs:infer", InferredInputs, runs_author_code=True)
VERIFY_CAPTURE = Job("aipc.capture.jobs:verify_capture", tuple[OutputAccuracy, ...], runs_author_code=False)
OUTLINE = Job("aipc.capture.outline:outline", int, runs_author_code=False)
