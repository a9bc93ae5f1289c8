"""PyTorch to ONNX in one trace, every node with its origins.

Stock ``torch.onnx.export`` traces twice (export, then decompose). Here the decompositions are applied while tracing,
and only constants are folded afterwards: other optimizations change what QAIRT is asked about.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import onnx_ir as ir
import onnxscript.optimizer
import onnxscript.version_converter
import torch
import torch.export._trace as export_trace
from onnx_ir.passes import common as passes
from torch.export.exported_program import ExportedProgram, _override_composite_implicit_decomp
from torch.export.graph_signature import InputKind, OutputKind, OutputSpec, TensorArgument
from torch.onnx._internal.exporter import _core, _decomp, _dispatching, _fx_passes
from torch.utils import _pytree as pytree

from aipc.core.types import Origin, SourceMap

from .attention import TABLE as ATTENTION
from .custom_operators import bodies_are_traced
from .detect_quantization import use_microsoft_domain
from .experts import every_expert_computes
from .masks import guard_rows
from .padding import padded_places_are_zero
from .recorder import MARK, ConstructionRecorder, NodeRecorder, Stack
from .refusals import check
from .shadow import known_values
from .sourcemap import constructed_by_author, origin, union
from .state import kept_tensors
from .tables import decompositions, keep_composite_operator_list, registry
from .widths import lower_widths

OPSET = 20
_TRACE = "pkg.torch.onnx.stack_trace"
_SCOPES = "pkg.torch.onnx.name_scopes"


class MissingLoweringsError(Exception):
    """Operators that have no ONNX form. ``nodes`` holds every one of them: (operator, stack number or None)."""

    def __init__(self, nodes: Sequence[tuple[str, int | None]], recorder: NodeRecorder) -> None:
        super().__init__("no ONNX form for " + ", ".join(dict.fromkeys(name for name, _ in nodes)))
        self.nodes = tuple(nodes)
        self.recorder = recorder


class DynamicShapesError(Exception):
    """Results whose shape depends on the values of the input. ``nodes`` as in :class:`MissingLoweringsError`."""

    def __init__(self, nodes: Sequence[tuple[str, int | None]], recorder: NodeRecorder) -> None:
        super().__init__("shapes that depend on values: " + ", ".join(dict.fromkeys(name for name, _ in nodes)))
        self.nodes = tuple(nodes)
        self.recorder = recorder


@dataclass(frozen=True, slots=True)
class Exported:
    model: ir.Model
    source_map: SourceMap
    strategy: str
    operators: tuple[str, ...] = ()
    """The PyTorch operators that were translated, such as ``aten.add.Tensor``, each once."""


def trace(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[ExportedProgram, NodeRecorder]:
    """Trace ``module`` once, decomposed for ONNX. Raises what PyTorch raises."""
    keep_composite_operator_list()
    composite, other = decompositions()
    original = export_trace._export_to_aten_ir
    with (
        NodeRecorder() as recorder,
        _python_s_view(args, kwargs),
        _override_composite_implicit_decomp(composite),
    ):
        export_trace._export_to_aten_ir = functools.partial(original, decomp_table=other)
        try:
            program = export_trace._export(module, tuple(args), dict(kwargs), strict=False, pre_dispatch=False)
        finally:
            export_trace._export_to_aten_ir = original
    return program, recorder


@contextmanager
def _python_s_view(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[None]:
    """What the author's code sees while it is traced is what it would see when it runs."""
    with (
        torch.no_grad(),
        padded_places_are_zero(),
        every_expert_computes(),
        bodies_are_traced(),
        known_values(_tensors(args, kwargs)),
    ):
        yield


def _tensors(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
    return [leaf for leaf in pytree.tree_leaves((args, dict(kwargs))) if isinstance(leaf, torch.Tensor)]


def _drop_answered_questions(graph_module: torch.fx.GraphModule) -> None:
    """Take out what only answered a question of Python's: PyTorch keeps it for its effects, which there are none of."""
    for node in reversed(graph_module.graph.nodes):
        tags = getattr(node.target, "tags", ())
        if not node.users and node.op == "call_function" and torch.Tag.data_dependent_output in tags:
            graph_module.graph.erase_node(node)
    graph_module.graph.eliminate_dead_code()


def two_traces(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[ExportedProgram, NodeRecorder]:
    """The exporter's own way (export, then decompose), for models that one trace does not take."""
    with NodeRecorder() as recorder, _python_s_view(args, kwargs):
        program = torch.export.export(module, tuple(args), dict(kwargs), strict=False)
        program = _decomposed(program)
    return program, recorder


def decomposed(
    program: ExportedProgram, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[ExportedProgram, NodeRecorder]:
    """A program that was exported before; its Python is not known, so its nodes have no source."""
    with NodeRecorder() as recorder, torch.no_grad():
        return _decomposed(program), recorder


def _decomposed(program: ExportedProgram) -> ExportedProgram:
    """The exporter's own decompositions, and that of attention, which its form of computes otherwise than PyTorch."""
    registered = set(_decomp.get_onnx_implemented_overloads(registry()))
    table = _decomp.create_onnx_friendly_decomposition_table(registered)
    decomposed: ExportedProgram = program.run_decompositions({**table, **ATTENTION})
    return decomposed


STRATEGIES = {"one-trace": trace, "two-traces": two_traces}


def export(
    module: torch.nn.Module | ExportedProgram,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    constructions: ConstructionRecorder,
    *,
    changed: Sequence[int] = (),
    state: Sequence[str] = (),
    refuse: bool = True,
    strategy: str = "one-trace",
    opset: int = OPSET,
) -> Exported:
    """ONNX model with unique node names and the origins of every node.

    Args:
        changed: places among the tensors of the arguments, of those that ``forward`` changes in place: their new
            values are outputs behind the others.
        state: paths of the tensors in the module that ``forward`` changes at every call.
        refuse: whether behaviour that no graph can have is an error.

    Raises:
        RefusedError: an output depends on random numbers, or on a buffer that ``forward`` changes.
        MissingLoweringsError: operators without ONNX form, all of them.
        DynamicShapesError: results without a fixed shape, all that begin one.
        Exception: whatever PyTorch raises while tracing.
    """
    # Before the trace, which leaves tensors without values in attributes.
    watched: dict[str, torch.Tensor] = {}
    if state and isinstance(module, torch.nn.Module):
        watched = {path: tensor for path, tensor in kept_tensors(module).items() if path in state}
    if isinstance(module, ExportedProgram):
        program, recorder = decomposed(module, args, kwargs)
    else:
        program, recorder = STRATEGIES[strategy](module, args, kwargs)
    graph_module = program.graph_module
    _drop_answered_questions(graph_module)
    with known_values(_tensors(args, kwargs)):
        _fx_passes.insert_type_promotion_nodes(graph_module)
    program._graph_module = _fx_passes.remove_assertion_nodes(graph_module)
    _return_tensors(program, changed)
    if refuse:
        check(program, recorder, watched)
    guard_rows(program)
    dynamic = _dynamic_shapes(program)
    if dynamic:
        raise DynamicShapesError(dynamic, recorder)
    missing = _missing_lowerings(program)
    if missing:
        raise MissingLoweringsError(missing, recorder)
    operators = _operators(program)
    model = _core._exported_program_to_onnx_program(program, registry=registry()).model
    model = _simplified(model, opset)
    use_microsoft_domain(model)
    numbers = _numbers(model)
    modules = {} if isinstance(module, ExportedProgram) else dict(module.named_modules(remove_duplicate=False))
    origins: dict[tuple[int, str], Origin] = {}

    def origin_of(number: int, path: str) -> Origin:
        if (number, path) not in origins:
            origins[number, path] = origin(recorder.stacks[number], path, _construction(path, modules, constructions))
        return origins[number, path]

    named: dict[str, tuple[Origin, ...]] = {}
    names = _name_nodes(model)
    for node in model.graph:
        path = _module_path(node)
        named[names[node]] = union([[origin_of(number, path) for number in numbers.get(node, ())]])
        node.name = names[node]
        for key in (_TRACE, "pkg.torch.onnx.fx_node", "pkg.torch.onnx.class_hierarchy", "namespace"):
            node.metadata_props.pop(key, None)
    return Exported(model, SourceMap(named), strategy, operators)


def _return_tensors(program: ExportedProgram, changed: Sequence[int]) -> None:
    """Let the program return tensors only, and the ``changed`` arguments after them."""
    signature, graph = program.graph_signature, program.graph_module.graph
    output = graph.output_node()
    returned: Any = output.args[0]
    tensors = [spec for spec in signature.input_specs if spec.kind is InputKind.USER_INPUT]
    tensors = [spec for spec in tensors if isinstance(spec.arg, TensorArgument)]
    wanted = [tensors[place].arg.name for place in changed]
    outputs, last = [], {}
    for node, spec in zip(returned, signature.output_specs, strict=True):
        if spec.kind is OutputKind.USER_INPUT_MUTATION and spec.target in wanted:
            last[spec.target] = (node, OutputSpec(OutputKind.USER_OUTPUT, spec.arg, None))
        elif spec.kind is not OutputKind.USER_OUTPUT or isinstance(spec.arg, TensorArgument):
            outputs.append((node, spec))
    outputs += [last[name] for name in wanted]
    output.args = (tuple(node for node, _ in outputs),)
    signature.output_specs[:] = [spec for _, spec in outputs]


def _operators(program: ExportedProgram) -> tuple[str, ...]:
    calls = (node for node in program.graph_module.graph.nodes if node.op == "call_function")
    return tuple(dict.fromkeys(str(node.target) for node in calls))


def _construction(path: str, modules: Mapping[str, torch.nn.Module], recorder: ConstructionRecorder) -> Stack:
    """Where the author's code had the module at ``path`` constructed, or the nearest module around it."""
    while True:
        stack = recorder.stack(modules[path]) if path in modules else ()
        if constructed_by_author(stack) or not path:
            return stack
        path = path.rpartition(".")[0]


def _missing_lowerings(program: ExportedProgram) -> list[tuple[str, int | None]]:
    missing = []
    for node in program.graph_module.graph.nodes:
        if node.op != "call_function" or isinstance(node.target, torch._ops.HigherOrderOperator):
            continue
        if getattr(node.target, "__module__", "") in {"_operator", "math"} or _core._is_onnx_op(node.target):
            continue
        function, _ = _dispatching.dispatch(node, registry())
        if function is None:
            missing.append((str(node.target), (node.meta.get("custom") or {}).get(MARK)))
    return missing


def _dynamic_shapes(program: ExportedProgram) -> list[tuple[str, int | None]]:
    """Operators whose result has no fixed shape although all that they read has."""
    places = []
    for node in program.graph_module.graph.nodes:
        if node.op != "call_function" or not _is_dynamic(node) or any(map(_is_dynamic, node.all_input_nodes)):
            continue
        places.append((str(node.target), (node.meta.get("custom") or {}).get(MARK)))
    return places


def _is_dynamic(node: torch.fx.Node) -> bool:
    value = node.meta.get("val")
    values = value if isinstance(value, (tuple, list)) else (value,)
    return any(
        isinstance(item, torch.SymInt)
        or (isinstance(item, torch.Tensor) and any(isinstance(dim, torch.SymInt) for dim in item.shape))
        for item in values
    )


def _simplified(model: ir.Model, opset: int) -> ir.Model:
    """Inline the exporter's functions and fold constants; every node keeps or inherits the numbers of its stacks."""
    model.opset_imports.setdefault("", opset)  # a graph without nodes imports none, which onnxruntime refuses
    if model.opset_imports[""] < opset:
        onnxscript.version_converter.convert_version(model, opset)
    passes.InlinePass()(model)
    before = list(model.graph)
    marks = {value.name: node.metadata_props for node in before for value in node.outputs if value.name}
    inputs = {node: {value.name for value in node.inputs if value is not None} for node in before}
    onnxscript.optimizer.fold_constants(model, onnx_shape_inference=False)
    passes.RemoveUnusedNodesPass()(model)
    passes.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    lower_widths(model)
    _drop_idle_casts(model)
    passes.IdentityEliminationPass()(model)
    passes.RemoveUnusedNodesPass()(model)
    after = set(model.graph)
    vanished = [(inputs[node], node.metadata_props) for node in before if node not in after]
    for node in model.graph:
        if not node.metadata_props.get(_TRACE):
            _inherit(node, marks, vanished)
    return model


def _drop_idle_casts(model: ir.Model) -> None:
    """Casts to the type that a tensor has already become copies, which the next pass takes out."""
    for node in model.graph:
        dtype = node.inputs[0].dtype if node.op_type == "Cast" and node.inputs[0] is not None else None
        if dtype is not None and node.attributes["to"].as_int() == int(dtype):
            node.op_type = "Identity"
            node.attributes.clear()


def _inherit(
    node: ir.Node,
    marks: Mapping[str, Mapping[str, str]],
    vanished: Sequence[tuple[set[str | None], Mapping[str, str]]],
) -> None:
    """Give a node that a pass put in the marks of the node whose result it makes, or whose input it reads instead."""
    same_result = [marks[value.name] for value in node.outputs if value.name and value.name in marks]
    reads = {value.name for value in node.inputs if value is not None and value.const_value is None}
    replaced = [properties for names, properties in vanished if names & reads]
    for properties in (*same_result, *replaced):
        if properties.get(_TRACE):
            node.metadata_props[_TRACE] = properties[_TRACE]
            node.metadata_props[_SCOPES] = properties.get(_SCOPES, "")
            return
    node.metadata_props[_TRACE] = _from_neighbours(node)


def _from_neighbours(node: ir.Node) -> str:
    """A node that a pass put in has the origins of the nodes that feed it, or else of those that read it."""
    producers = [value.producer() for value in node.inputs if value is not None]
    readers = [use.node for output in node.outputs for use in output.uses()]
    for group in (readers, producers):
        marks = [item.metadata_props.get(_TRACE, "") for item in group if item is not None]
        joined = " ".join(dict.fromkeys(mark for text in marks for mark in text.split()))
        if joined:
            return joined
    return ""


def _numbers(model: ir.Model) -> dict[ir.Node, tuple[int, ...]]:
    return {
        node: tuple(
            int(mark.partition(":")[2])
            for mark in node.metadata_props.get(_TRACE, "").split()
            if mark.startswith(f"{MARK}:")
        )
        for node in model.graph
    }


def _module_path(node: ir.Node) -> str:
    text = node.metadata_props.get(_SCOPES, "")
    try:
        scopes = ast.literal_eval(text) if text else []
    except (ValueError, SyntaxError):
        return ""
    return scopes[-2] if len(scopes) >= 2 else ""


def _name_nodes(model: ir.Model) -> dict[ir.Node, str]:
    """``module.path.Operator_k``: the k-th of its kind in its module instance, so an edit elsewhere renames nothing."""
    counts: dict[tuple[str, str], int] = {}
    names = {}
    for node in model.graph:
        key = (_module_path(node), node.op_type)
        counts[key] = counts.get(key, -1) + 1
        names[node] = f"{key[0]}.{node.op_type}_{counts[key]}".lstrip(".")
    return names
