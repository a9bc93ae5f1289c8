"""Imported by the fork server before the first job: everything that costs time and that no model changes."""

from __future__ import annotations

import contextlib
import gc

import onnx  # noqa: F401
import onnx_ir  # noqa: F401
import onnxruntime  # noqa: F401
import onnxscript.optimizer  # noqa: F401
import torch

from . import export, failures, infer, inputs, load, spec  # noqa: F401
from .tables import decompositions, keep_composite_operator_list

# Most vision models import it, and it takes a second.
with contextlib.suppress(ImportError):
    import torchvision  # noqa: F401

# Threads of OpenMP do not survive the fork; one thread starts none.
torch.set_num_threads(1)
keep_composite_operator_list()
decompositions()
gc.collect()
gc.freeze()
