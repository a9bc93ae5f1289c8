"""Write ONNX files; the weights go beside the file where it would come near protobuf's limit of 2 GiB."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx_ir as ir

WEIGHTS = "model.data"
"""The file beside the model."""
_MOST_BYTES = 1_500_000_000
"""Above this the weights leave the file: metadata and graph have to fit below 2 GiB with what stays in it."""


def save_graph(model: onnx.ModelProto | ir.Model, path: str | Path, *, keep: bool = False) -> None:
    """Write ``model`` to ``path``, with its weights in the same file or in :data:`WEIGHTS` beside it.

    Args:
        keep: a ``ModelProto`` is used afterwards: its weights stay in it. Otherwise they may leave it.
    """
    if isinstance(model, ir.Model):
        weights = (value.const_value for value in model.graph.initializers.values())
        large = sum(weight.nbytes for weight in weights if weight is not None) > _MOST_BYTES
        ir.save(model, path, external_data=WEIGHTS if large else None)
        return
    large = model.ByteSize() > _MOST_BYTES
    if large and keep:
        original, model = model, onnx.ModelProto()
        model.CopyFrom(original)
    if large:
        Path(path).with_name(WEIGHTS).unlink(missing_ok=True)  # onnx appends to a file that is there
    onnx.save(model, str(path), save_as_external_data=large, location=WEIGHTS if large else None)
