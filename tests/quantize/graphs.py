"""Small float graphs, quantized and run on the simulator, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from aipc.core.workers import WorkerPool
from aipc.numerics.metrics import sqnr_db
from aipc.numerics.npz import read_npz, write_npz
from aipc.qairt import worker_jobs as qairt_jobs
from aipc.quantize import jobs, quantizer
from aipc.quantize.calibrate import tensor_statistics
from aipc.quantize.calibrate.ranges import range_of
from aipc.quantize.plan import QuantizationPlan
from aipc.quantize.quantization_results import Quantized

Weights = Mapping[str, list[dict[str, Any]]]
Arrays = Mapping[str, np.ndarray]


def silent(event: object) -> None:
    return None


def save_graph(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int]],
    outputs: Sequence[str],
    constants: Arrays,
) -> Path:
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(onnx.shape_inference.infer_shapes(model), str(path))
    return path


def random_samples(folder: Path, inputs: Mapping[str, Sequence[int]], count: int = 6, seed: int = 0) -> list[Path]:
    draw = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04d}.npz" for number in range(count)]
    for path in paths:
        arrays = {name: draw.standard_normal(list(shape)).astype(np.float32) for name, shape in inputs.items()}
        write_npz(path, arrays)
    return paths


def quantized(model: Path, samples: Path, plan: QuantizationPlan, soc: str = "sm8650") -> Quantized:
    statistics = model.parent / "statistics"
    jobs.collect(silent, model=str(model), samples=str(samples), out=str(statistics))
    out = model.parent / plan.label
    return jobs.quantize(silent, model=str(model), statistics=str(statistics), plan=plan, soc=soc, out=str(out))


def without_measures(model: Path, plan: QuantizationPlan, weights: Weights | None = None) -> str:
    """Path of ``model`` in integers as it is written; ``quantized`` has seen its samples."""
    seen = tensor_statistics.load(model.parent / "statistics")
    ranges = {name: range_of(item, "minmax", None, plan.activation_bits) for name, item in seen.items()}
    plain = model.parent / "plain" / "model.onnx"
    plain.parent.mkdir()
    onnx.save(quantizer.write_integers(onnx.load(str(model)), plan, ranges, (), weights), str(plain))
    return str(plain)


def on_simulator(pool: WorkerPool, model: str, inputs: Path, soc: str = "sm8650") -> Arrays:
    """The outputs of a graph, compiled and run; no node may be left on the CPU."""
    folder = Path(model).parent / f"context-{soc}"
    compiled = pool.run(qairt_jobs.COMPILE, {"model": model, "soc": soc, "out": str(folder), "allow_cpu": False})
    answer = folder / "outputs.npz"
    arguments = {"package_model": compiled.model, "inputs_npz": str(inputs), "out_npz": str(answer), "soc": soc}
    pool.run(qairt_jobs.RUN, arguments)
    return read_npz(answer)


def distance(reference: Arrays, actual: Arrays) -> float:
    """The SQNR of the worst output, in dB."""
    return min(sqnr_db(value, actual[name]) for name, value in reference.items())
