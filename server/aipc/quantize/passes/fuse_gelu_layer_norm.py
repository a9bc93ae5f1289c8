"""Operators that a graph spells out in several nodes, as the one operator that QAIRT has in integers.

An exact Gelu by way of Erf, and a layer normalization by way of means and a square root: as they are spelled out QAIRT
refuses Erf in integers, and every intermediate, a square among them, would be rounded by itself. The patterns are
onnxruntime's own.
"""

from __future__ import annotations

import onnx
from onnx import helper

from aipc.graph.index import Graph

_GELU_OPSET = 20


def fuse(graph: Graph, keep: frozenset[str]) -> int:
    """Fuse what is spelled out, outside of ``keep``; how many operators that made."""
    from onnxruntime.quantization.fusions import FusionGelu, FusionLayerNormalization
    from onnxruntime.quantization.onnx_model import ONNXModel

    count = 0
    for fusion in (FusionGelu, FusionLayerNormalization):
        before = onnx.ModelProto()
        before.CopyFrom(graph.model)
        wrapped = ONNXModel(graph.model)
        if not fusion(wrapped).apply():
            continue
        old = {node.name: node for node in before.graph.node}
        fused_names = old.keys() - {node.name for node in graph.model.graph.node}
        if fused_names & keep:
            graph.model.CopyFrom(before)
            graph.refresh()
            continue
        wrapped.topological_sort()
        producers = {name: node for node in before.graph.node for name in node.output}
        opset = next(item.version for item in graph.model.opset_import if item.domain in {"", "ai.onnx"})
        for node in graph.model.graph.node:
            if node.name in old:
                continue
            count += 1
            graph.derived[node.name] = _sources(graph, node.output[0], producers, fused_names)
            if node.op_type == "Gelu" and opset >= _GELU_OPSET:
                node.domain = ""
            elif node.domain and node.domain not in {item.domain for item in graph.model.opset_import}:
                graph.model.opset_import.append(helper.make_opsetid(node.domain, 1))
        graph.refresh()
    return count


def _sources(graph: Graph, tensor: str, producers: dict[str, onnx.NodeProto], fused_names: set[str]) -> tuple[str, ...]:
    """What a fused node stands for: the nodes that are no more, on the way to its output."""
    names: list[str] = []
    waiting = [tensor]
    while waiting:
        node = producers.get(waiting.pop())
        if node is not None and node.name in fused_names and node.name not in names:
            names.append(node.name)
            waiting += list(node.input)
    return tuple(dict.fromkeys(item for name in reversed(names) for item in graph.sources(name)))
