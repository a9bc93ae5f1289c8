"""The worker jobs of this package. Calibration data and metrics may be functions of the author."""

from aipc.core.jobs import Job

from .quantization_results import CalibrationSet, Quantized, Statistics, TaskMetric

PREPARE = Job("aipc.quantize.calibrate.data:prepare", CalibrationSet, runs_author_code=True)
REFERENCE = Job("aipc.quantize.calibrate.data:reference", int, runs_author_code=True)
MEASURE = Job("aipc.quantize.task_metric:measure", TaskMetric, runs_author_code=True)
COLLECT = Job("aipc.quantize.jobs:collect", Statistics, runs_author_code=False)
QUANTIZE = Job("aipc.quantize.jobs:quantize", Quantized, runs_author_code=False)
