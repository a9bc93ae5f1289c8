"""The worker jobs of this package. Data, decoders and metrics may be functions of the author."""

from aipc.core.jobs import Job

from .evaluation_report import PreparedData, Scores

PREPARE = Job("aipc.evaluation.data:prepare", PreparedData, runs_author_code=True)
PREPARE_ANSWERS = Job("aipc.evaluation.answers:prepare_answers", PreparedData, runs_author_code=True)
CHECK_METRIC = Job("aipc.evaluation.scoring:check_metric", type(None), runs_author_code=True)
SCORE = Job("aipc.evaluation.scoring:score", Scores, runs_author_code=True)
