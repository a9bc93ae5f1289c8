"""What a graph cannot keep of a model's behaviour: random numbers drawn in ``forward``, and buffers that it changes.

Both are captured without complaint by PyTorch's exporter, and the graph then answers something else than the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch.export.exported_program import ExportedProgram
from torch.export.graph_signature import OutputKind

from .recorder import MARK, NodeRecorder
from .wording import changed_state, random_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One expression whose behaviour a graph cannot have. ``number`` is that of its stack in the recorder."""

    rule: str
    message: str
    detail: str
    number: int | None


class RefusedError(Exception):
    """The program would not do what the model does. ``refusals`` holds every reason."""

    def __init__(self, refusals: Iterable[Refusal], recorder: NodeRecorder) -> None:
        self.refusals = tuple(refusals)
        self.recorder = recorder
        super().__init__("; ".join(dict.fromkeys(item.message for item in self.refusals)))


def check(program: ExportedProgram, recorder: NodeRecorder, state: Mapping[str, torch.Tensor]) -> None:
    """Raise :class:`RefusedError` where an output depends on random numbers, or on what ``forward`` changes.

    Args:
        state: the tensors in the module that every call changes, by their paths; of any shape and dtype.
    """
    needed = _ancestors(program)
    refusals = (*_random(program, needed), *_changed(program, needed, state))
    if refusals:
        raise RefusedError(refusals, recorder)


def _ancestors(program: ExportedProgram) -> set[torch.fx.Node]:
    """The nodes that an output of ``forward`` depends on, arguments changed in place among the outputs."""
    kinds = {OutputKind.USER_OUTPUT, OutputKind.USER_INPUT_MUTATION}
    specs = program.graph_signature.output_specs
    returned = program.graph_module.graph.output_node().args[0]
    assert isinstance(returned, (tuple, list))
    pending = [
        node
        for node, spec in zip(returned, specs, strict=True)
        if spec.kind in kinds and isinstance(node, torch.fx.Node)
    ]
    ancestors: set[torch.fx.Node] = set()
    while pending:
        node = pending.pop()
        if node not in ancestors:
            ancestors.add(node)
            pending += node.all_input_nodes
    return ancestors


def _random(program: ExportedProgram, needed: set[torch.fx.Node]) -> Iterator[Refusal]:
    for node in program.graph_module.graph.nodes:
        if node in needed and _draws(node):
            name = str(node.target).removeprefix("aten.").partition(".")[0]
            yield Refusal(
                rule="capture-random",
                message=random_numbers(name),
                detail=f"{node.target} is in the exported program",
                number=_number(node),
            )


def _draws(node: torch.fx.Node) -> bool:
    """Whether a node draws random numbers; dropout that is off, also that of attention, draws none."""
    if not isinstance(node.target, torch._ops.OpOverload) or torch.Tag.nondeterministic_seeded not in node.target.tags:
        return False
    for place, argument in enumerate(node.target._schema.arguments):
        if argument.name in {"dropout_p", "train", "training"}:
            draws = (
                node.args[place] if place < len(node.args) else node.kwargs.get(argument.name, argument.default_value)
            )
            return bool(draws)
    return True


def _changed(
    program: ExportedProgram, needed: set[torch.fx.Node], state: Mapping[str, torch.Tensor]
) -> Iterator[Refusal]:
    signature = program.graph_signature
    nodes = {node.name: node for node in program.graph_module.graph.nodes}
    targets = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    constants = signature.inputs_to_lifted_tensor_constants
    places = {tensor.data_ptr(): path for path, tensor in state.items()}
    written = {buffer: name for name, buffer in signature.buffers_to_mutate.items()}
    for name, key in {**targets, **constants}.items():
        # What is only written, such as a counter of calls, changes no output.
        if nodes[name] not in needed:
            continue
        constant = program.constants.get(key)
        path = key if key in state or key in written else None
        if path is None and isinstance(constant, torch.Tensor):
            path = places.get(constant.data_ptr())
        if path is not None:
            node = nodes[written[path]] if path in written else next(iter(nodes[name].users))
            yield Refusal(
                rule="capture-state",
                message=changed_state(path, registered=name in targets),
                detail=f"{path!r} is changed by every call and read by the next",
                number=_number(node),
            )


def _number(node: torch.fx.Node) -> int | None:
    return (node.meta.get("custom") or {}).get(MARK)
