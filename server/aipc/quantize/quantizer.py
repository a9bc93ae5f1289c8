"""Write a float graph with QuantizeLinear and DequantizeLinear where QAIRT wants integers.

The form of every operator (which tensors share an encoding, biases in int32, what a fused activation needs) is that of
onnxruntime's QDQ quantizer with its QNN configuration. Ranges, encodings that QNN refuses otherwise, fp16 islands and
the graph before and after are ours.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.core.errors import QairtError
from aipc.core.types import Event
from aipc.graph.extract import infer_shapes
from aipc.graph.save_graph import save_graph
from aipc.qairt.soc import get_soc

from . import prepare_graph
from .calibrate import tensor_statistics
from .calibrate.ranges import range_of
from .encodings import derived_nodes, encodings_of, overrides_for
from .integer_io import integer_io
from .passes.round_weights import weight_type
from .plan import QuantizationPlan, RangeMethod
from .qdq_types import fix_shapes, write_types
from .quantization_results import Quantized
from .range_search import best_ranges
from .take_out_scales import nodes_in_float, own_quantization_note, take_out


def quantize(
    report: Callable[[Event], None], model: str, directory: str, plan: QuantizationPlan, soc: str, out: str
) -> Quantized:
    """See :func:`aipc.quantize.jobs.quantize`."""
    started = time.perf_counter()
    report(Event("quantize", f"quantizing to {plan.label}"))
    source, own = take_out(onnx.load(model))
    folder = Path(directory)
    histograms = tensor_statistics.load(folder)
    shapes = tensor_statistics.load_shapes(folder)
    moments = tensor_statistics.load_moments(folder) if plan.adjust_weights or plan.equalize else {}
    in_float = nodes_in_float(source, own) if plan.own and get_soc(soc).fp16 == "yes" else ()
    plan = replace(plan, float_nodes=tuple(dict.fromkeys((*plan.float_nodes, *in_float))))

    def write(method: RangeMethod) -> tuple[onnx.ModelProto, prepare_graph.Prepared]:
        def ranged(name: str, bits: int) -> tuple[float, float]:
            return range_of(histograms[name], method, plan.range_parameter, bits)

        ranges = {name: ranged(name, plan.activation_bits) for name in histograms} | own.ranges()
        copy = onnx.ModelProto()
        copy.CopyFrom(source)
        shaped = fix_shapes(infer_shapes(copy), shapes)
        prepared = prepare_graph.prepare(
            shaped, plan, ranges, moments, folder, lambda name: ranged(name, 16) if name in histograms else None, own
        )
        settled = replace(plan, higher=prepared.higher)
        written = write_integers(prepared.model, settled, prepared.ranges, prepared.float_nodes, prepared.overrides)
        return written, prepared

    note = ""
    if plan.range_method == "measured":
        (result, prepared), note = best_ranges(
            report, write, lambda result_and_graph: result_and_graph[0], tensor_statistics.probes(folder)
        )
    else:
        result, prepared = write(plan.range_method)
    target = Path(out)
    target.mkdir(parents=True, exist_ok=True)
    encodings = encodings_of(result)
    border = integer_io(result) if plan.quantized_io else ()
    save_graph(result, target / "model.onnx")
    names = [node.name for node in source.graph.node]
    left = set(prepared.float_nodes)
    counts = {
        "total": len(names),
        "float": sum(name in left for name in names),
        "quantized": sum(name not in left for name in names),
        "qdq": sum(node.op_type == "QuantizeLinear" for node in result.graph.node),
    }
    return Quantized(
        model=str(target / "model.onnx"),
        digest=tensor_statistics.graph_digest(target / "model.onnx"),
        counts=counts,
        derived=derived_nodes(source, result, prepared.derived),
        encodings=encodings,
        integer_io=border,
        float_nodes=prepared.float_nodes,
        notes=(*([own_quantization_note(own, in_float)] if own else []), *prepared.notes, *([note] if note else [])),
        seconds=round(time.perf_counter() - started, 3),
    )


def write_integers(
    model: onnx.ModelProto,
    plan: QuantizationPlan,
    ranges: Mapping[str, tuple[float, float]],
    float_nodes: tuple[str, ...],
    weights: Mapping[str, list[dict[str, Any]]] | None = None,
) -> onnx.ModelProto:
    """``model`` with its Q and DQ nodes.

    Args:
        weights: encodings of weights that are on their grid already.

    Raises:
        QairtError: onnxruntime's quantizer cannot do it; ``detail`` has its words.
    """
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData
    from onnxruntime.quantization.execution_providers.qnn import get_qnn_qdq_config
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    activation = {8: QuantType.QUInt8, 16: QuantType.QUInt16}[plan.activation_bits]
    weight = weight_type(plan)
    # What was computed when it was calibrated may be a constant by now, with an encoding for each channel.
    constants = {item.name for item in model.graph.initializer}
    data = {name: (np.float32(low), np.float32(high)) for name, (low, high) in ranges.items() if name not in constants}
    quiet = logging.getLogger()
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    try:
        config: Any = get_qnn_qdq_config(
            model,
            None,  # no reader: the ranges are known
            activation_type=activation,
            weight_type=weight,
            per_channel=plan.per_channel,
            init_overrides={
                **overrides_for(model, plan, float_nodes, {} if plan.own else ranges),
                **(weights or {}),
            },
            nodes_to_exclude=list(float_nodes),
        )
        # Choices, slices and gathers of graph inputs and constants too: left in float, an NPU of integers refuses them.
        config.extra_options["ForceQuantizeNoInputCheck"] = True
        # What is the same as the model's own range is gone already; another Relu is an operator of its own.
        config.extra_options["QDQKeepRemovableActivations"] = plan.own
        wide = any(item[0].get("quant_type") == QuantType.QUInt16 for item in (weights or {}).values())
        if (plan.higher or wide) and plan.activation_bits == 8:
            # Before opset 21 ONNX's own Q and DQ have no 16 bits; onnxruntime looks at the first override only.
            config.extra_options["UseQDQContribOps"] = True
        quantizer = QDQQuantizer(
            model,
            plan.per_channel,
            False,
            weight,
            activation,
            TensorsData(CalibrationMethod.MinMax, data),
            [],
            list(float_nodes),
            config.op_types_to_quantize,
            config.extra_options,
        )
        quantizer.quantize_model()
        # Conversions between 8 and 16 bits come behind their readers otherwise.
        quantizer.model.topological_sort()
        quantized: onnx.ModelProto = quantizer.model.model
        write_types(quantized)
        return quantized
    except Exception as error:
        raise QairtError(
            f"the graph cannot be quantized to {plan.label}: {error}",
            remedy="keep the nodes it names in fp16, or use another precision",
            detail=f"{type(error).__name__}: {error}",
        ) from error
    finally:
        quiet.setLevel(level)
