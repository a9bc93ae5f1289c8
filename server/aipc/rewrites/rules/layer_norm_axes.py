"""Layer normalization over several axes, as over one."""

from __future__ import annotations

import ast
import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ..site import NoEdit, Operation, Site


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes = read.shape(value)
    axis = node.attributes.get_int("axis", -1) % len(sizes)
    if axis == len(sizes) - 1:
        raise NoMatch("the NPU takes layer normalization over the last axis as it is")
    if any(output.uses() or output.is_graph_output() for output in node.outputs[1:]):
        raise NoMatch("the mean or the deviation is used too")
    length = math.prod(sizes[axis:])
    flat = b.reshape(value, [*sizes[:axis], length])
    parameters = []
    for position in (1, 2):
        argument = read.argument(node, position)
        if argument is not None:
            argument = b.reshape(b.expand(argument, sizes[axis:]), [length])
        parameters.append(argument)
    normed = b.op(
        "LayerNormalization",
        flat,
        *parameters,
        axis=-1,
        epsilon=node.attributes.get_float("epsilon", 1e-5),
        stash_type=node.attributes.get_int("stash_type", 1),
    )
    return b.reshape(normed, sizes)


def source_edit(site: Site) -> str | None:
    """Layer normalization over the last axes as over one. A module's parameters stay where they are."""
    operation = site.operation(
        "layer_norm",
        "input normalized_shape weight bias eps",
        homes="torch.nn.functional",
        module="LayerNorm normalized_shape eps elementwise_affine bias device dtype",
    )
    if operation is None or "normalized_shape" not in operation.options:
        return None
    sizes = _literal_sizes(operation)
    rank = len(sizes) if sizes else _written_rank(operation)
    if rank < 2:
        return None
    value = f"{site.operand(operation.operands[0])}.flatten(-{rank})"
    if operation.module:
        return _of_module(site, operation, value, sizes)
    if not sizes:
        return None
    parts = [value, f"({math.prod(sizes)},)"]
    for name in ("weight", "bias", "eps"):
        if name in operation.options:
            option = operation.options[name]
            none = name == "eps" or isinstance(option, ast.Constant)
            written = site.text(option) if none else f"{site.operand(option)}.flatten()"
            parts.append(written if len(parts) == _PLACES[name] else f"{name}={written}")
    return f"{site.text(site.call.func)}({', '.join(parts)}).unflatten(-1, {sizes})"


_PLACES = {"weight": 2, "bias": 3, "eps": 4}


def _literal_sizes(operation: Operation) -> tuple[int, ...]:
    """The normalized shape, if it is written in figures."""
    try:
        sizes = operation.value("normalized_shape")
    except NoEdit:
        return ()
    whole = isinstance(sizes, (tuple, list)) and all(isinstance(size, int) for size in sizes)
    return tuple(sizes) if whole else ()


def _written_rank(operation: Operation) -> int:
    """How many axes a shape like ``[channels, height, width]`` has."""
    shape = operation.options["normalized_shape"]
    if not isinstance(shape, (ast.List, ast.Tuple)) or any(isinstance(size, ast.Starred) for size in shape.elts):
        return 0
    return len(shape.elts)


def _of_module(site: Site, operation: Operation, value: str, sizes: tuple[int, ...]) -> str | None:
    module, affine = operation.module, operation.value("elementwise_affine", True)
    name = f"{site.functional()}.layer_norm"
    shape = f"{module}.normalized_shape"
    if affine:
        length = f"({math.prod(sizes)},)" if sizes else f"({module}.weight.numel(),)"
        parameters = f"{module}.weight.flatten()"
        parameters += f", {module}.bias.flatten(), " if operation.value("bias", True) else ", eps="
        return f"{name}({value}, {length}, {parameters}{module}.eps).unflatten(-1, {shape})"
    if not sizes:
        return None
    return f"{name}({value}, ({math.prod(sizes)},), eps={module}.eps).unflatten(-1, {shape})"


RULE = Rule(
    code="layer-norm-axes",
    title="Layer normalization over several axes becomes one over a single, flattened axis",
    ops=("LayerNormalization",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("layernorm-axes",),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("F.layer_norm(x, (6, 8))", {"x": "float32[2,4,6,8]"}),
    after="F.layer_norm(x.flatten(2), (48,)).unflatten(2, (6, 8))",
    negative=Example("F.layer_norm(x, (8,))", {"x": "float32[2,4,6,8]"}),
    more=(
        Example("nn.LayerNorm([4, 6, 8])", {"x": "float32[2,4,6,8]"}),
        Example("nn.LayerNorm([5, 7], elementwise_affine=False)", {"x": "float32[3,5,7]"}),
    ),
)
