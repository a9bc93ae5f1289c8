"""Small quantized graphs by onnxruntime's own quantizer, for tests of what reads such graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize
from onnxruntime.quantization.execution_providers.qnn import get_qnn_qdq_config


class _Samples(CalibrationDataReader):
    def __init__(self, samples: Sequence[Mapping[str, np.ndarray[Any, Any]]]) -> None:
        self._left = list(samples)

    def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
        return dict(self._left.pop(0)) if self._left else None


def quantize_static(
    model: str,
    samples: Sequence[Mapping[str, np.ndarray[Any, Any]]],
    out: Path,
    *,
    activations: int,
    higher: Sequence[str] = (),
) -> str:
    """Per-channel weights of 8 bits, activations of 8 or 16, min-max ranges; the tensors ``higher`` have 16."""
    kind = {8: QuantType.QUInt8, 16: QuantType.QUInt16}[activations]
    config = get_qnn_qdq_config(
        model,
        _Samples(samples),
        activation_type=kind,
        weight_type=QuantType.QInt8,
        per_channel=True,
        init_overrides={name: [{"quant_type": QuantType.QUInt16}] for name in higher},
    )
    quantize(model, str(out), config)
    return str(out)
