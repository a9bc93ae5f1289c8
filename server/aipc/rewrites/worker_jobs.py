"""The worker jobs of this package. They read sources as text and run graphs; no code of the project."""

from typing import Any

from aipc.core.jobs import Job
from aipc.core.types import Finding

from .proofs import Proof, Rewritten

REWRITE = Job("aipc.rewrites.jobs:rewrite", Rewritten, runs_author_code=False)
PROPOSE = Job("aipc.rewrites.jobs:propose", tuple[Finding, ...], runs_author_code=False)
PROVE_EDIT = Job("aipc.rewrites.edits:prove_edit", Proof, runs_author_code=False)
DESCRIBE = Job("aipc.rewrites.describe:describe", list[dict[str, Any]], runs_author_code=False)
