"""Three ways to quantize a graph, each as its makers document it for Qualcomm's NPUs.

Each takes the float graph, the folder of calibration samples, the folder of our statistics, the precision, the SoC and
the folder for ``model.onnx``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Method = Callable[[str, str, str, str, str, Path], None]


def samples(folder: str) -> Iterator[dict[str, np.ndarray[Any, Any]]]:
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path) as data:
            yield {name: data[name] for name in data.files}


def ours(graph: str, calibration: str, statistics: str, precision: str, soc: str, out: Path) -> None:
    from aipc.quantize import jobs
    from aipc.quantize.plan import plan_for

    plan = plan_for(precision)
    jobs.quantize(lambda event: None, model=graph, statistics=statistics, plan=plan, soc=soc, out=str(out))


def onnxruntime_qnn(graph: str, calibration: str, statistics: str, precision: str, soc: str, out: Path) -> None:
    """``qnn_preprocess_model``, ``get_qnn_qdq_config`` with one encoding a channel, ``quantize``."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize
    from onnxruntime.quantization.execution_providers.qnn import get_qnn_qdq_config, qnn_preprocess_model

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._samples = samples(calibration)

        def get_next(self) -> dict[str, Any] | None:
            return next(self._samples, None)

    model = onnx.load(graph)
    del model.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
    bare, fused = out / "bare.onnx", out / "fused.onnx"
    onnx.save(model, bare)
    changed = qnn_preprocess_model(str(bare), str(fused), fuse_layernorm=True)
    given = str(fused if changed else bare)
    kind = QuantType.QUInt16 if precision == "w8a16" else QuantType.QUInt8
    config = get_qnn_qdq_config(given, Reader(), activation_type=kind, weight_type=QuantType.QInt8, per_channel=True)
    quantize(given, str(out / "model.onnx"), config)


def aimet_onnx(graph: str, calibration: str, statistics: str, precision: str, soc: str, out: Path) -> None:
    """``QuantizationSimModel`` with its configuration for the chip after folding batch norms, exported as QDQ."""
    import aimet_onnx as aimet
    import onnx
    from aimet_onnx.batch_norm_fold import fold_all_batch_norms_to_weight

    from aipc.qairt.soc import get_soc

    model = onnx.load(graph)
    fold_all_batch_norms_to_weight(model)
    target = f"htp_v{min(get_soc(soc).htp_arch, 79)}"
    activations = aimet.int16 if precision == "w8a16" else aimet.int8
    simulation = aimet.QuantizationSimModel(
        model,
        param_type=aimet.int8,
        activation_type=activations,
        config_file=target,
        providers=["CPUExecutionProvider"],
    )
    simulation.compute_encodings(list(samples(calibration)))
    onnx.save(simulation.to_onnx_qdq(prequantize_constants=True), out / "model.onnx")


OURS = "aipc"
METHODS: dict[str, Method] = {OURS: ours, "onnxruntime": onnxruntime_qnn, "aimet-onnx": aimet_onnx}
