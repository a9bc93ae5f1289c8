"""Inputs and outputs of a quantized graph as the integers themselves."""

from __future__ import annotations

import onnx


def integer_io(model: onnx.ModelProto) -> tuple[str, ...]:
    """Take the Q nodes at the inputs and the DQ nodes at the outputs away; the tensors that are integers now."""
    graph = model.graph
    kinds = {item.name: item.data_type for item in graph.initializer}
    changed = []
    for value in graph.input:
        consumers = [node for node in graph.node if value.name in node.input]
        if len(consumers) != 1 or consumers[0].op_type != "QuantizeLinear":
            continue
        quantize = consumers[0]
        value.type.tensor_type.elem_type = kinds[quantize.input[2]]
        for node in graph.node:
            for place, name in enumerate(node.input):
                if name == quantize.output[0]:
                    node.input[place] = value.name
        graph.node.remove(quantize)
        changed.append(value.name)
    for value in graph.output:
        maker = next((node for node in graph.node if value.name in node.output), None)
        if maker is None or maker.op_type != "DequantizeLinear":
            continue
        source = maker.input[0]
        before = next((node for node in graph.node if source in node.output), None)
        if before is None:
            continue
        value.type.tensor_type.elem_type = kinds[maker.input[2]]
        real = f"{value.name}_real"
        maker.output[0] = real
        inside = False
        for node in graph.node:
            # Who takes the output inside of the graph goes on taking reals.
            inside |= value.name in node.input
            node.input[:] = [real if name == value.name else name for name in node.input]
            node.input[:] = [value.name if name == source else name for name in node.input]
        before.output[:] = [value.name if name == source else name for name in before.output]
        if not inside:
            graph.node.remove(maker)
        changed.append(value.name)
    stale = [item for item in graph.value_info if item.name in set(changed)]
    for item in stale:
        graph.value_info.remove(item)
    return tuple(changed)
