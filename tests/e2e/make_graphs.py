"""ONNX files for the graph page's test: ``make_graphs.py DIRECTORY [nodes ...]``.

Writes ``small.onnx``, and ``chain-N.onnx`` and ``branches-N.onnx`` with N nodes each: a plain chain, and blocks of a
transformer's shape (residual additions, three projections that join), which are harder to lay out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
from onnx import TensorProto, helper

NODE = helper.make_node


def save(nodes: list[onnx.NodeProto], path: Path, initializers: dict[str, list[int]] | None = None) -> None:
    produced = {output for node in nodes for output in node.output}
    read = {name for node in nodes for name in node.input}
    weights = [
        onnx.TensorProto(name=name, dims=dims, data_type=TensorProto.FLOAT)
        for name, dims in (initializers or {}).items()
    ]
    names = {weight.name for weight in weights}
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in sorted(read - produced - names)]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in sorted(produced - read)]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)


def small(path: Path) -> None:
    nodes = [
        NODE("Conv", ["images", "w0", "b0"], ["c0"], "backbone/conv0"),
        NODE("Sigmoid", ["c0"], ["s0"], "backbone/sigmoid0"),
        NODE("Mul", ["c0", "s0"], ["m0"], "backbone/mul0"),
        NODE("Conv", ["m0", "w1", "b1"], ["c1"], "backbone/conv1"),
        NODE("GridSample", ["c1", "grid"], ["g"], "head/grid_sample"),
        NODE("NonZero", ["g"], ["z"], "head/nonzero"),
        NODE("Mod", ["g", "m0"], ["d"], "head/mod", fmod=1),
        NODE("Softmax", ["d"], ["scores"], "head/softmax", axis=1),
        NODE("Cast", ["z"], ["places"], "head/cast", to=TensorProto.FLOAT),
    ]
    save(nodes, path, {"w0": [16, 3, 3, 3], "b0": [16], "w1": [32, 16, 3, 3], "b1": [32]})


def chain(count: int, path: Path) -> None:
    kinds = ("Relu", "Sigmoid", "Tanh", "Abs")
    save([NODE(kinds[i % 4], [f"t{i}"], [f"t{i + 1}"], f"node{i}") for i in range(count)], path)


def branches(count: int, path: Path) -> None:
    nodes: list[onnx.NodeProto] = []
    value = "x"

    def add(kind: str, *inputs: str) -> str:
        index = len(nodes)
        nodes.append(NODE(kind, list(inputs), [f"t{index}"], f"layer{index // 12}/{kind.lower()}{index}"))
        return f"t{index}"

    while len(nodes) < count:
        normal = add("Softplus", value)
        query, key, heads = (add("MatMul", normal, f"w{len(nodes)}") for _ in range(3))
        attention = add("MatMul", add("Softmax", add("MatMul", query, add("Transpose", key))), heads)
        value = add("Add", value, attention)
        value = add("Add", value, add("Relu", add("MatMul", value, f"w{len(nodes)}")))
    weights = {name: [8, 8] for node in nodes for name in node.input if name.startswith("w")}
    save(nodes, path, weights)


def main(out: Path, counts: list[int]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    small(out / "small.onnx")
    for count in counts:
        chain(count, out / f"chain-{count}.onnx")
        branches(count, out / f"branches-{count}.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
