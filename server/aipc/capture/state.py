"""State that ``forward`` keeps in the module between its calls, as arguments and results of each call.

A graph keeps nothing between two runs. With ``state = "inputs"`` each buffer, and each attribute that is a tensor,
that ``forward`` changes becomes an input of the graph and, as the next call would find it, an output.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils import _pytree as pytree

from .arguments import Inputs
from .interface import CallOutput, call, named_tensors, unique
from .load import LoadedModel


@dataclass(frozen=True, slots=True)
class Slot:
    """One tensor that a module keeps: in ``owner`` (a module's path) under ``name``, as the argument ``argument``."""

    owner: str
    name: str
    argument: str = ""

    @property
    def path(self) -> str:
        return f"{self.owner}.{self.name}".lstrip(".")


class StatefulModule(torch.nn.Module):
    """Runs a module with its state given, and returns its outputs by name with the state as it is afterwards."""

    def __init__(self, module: torch.nn.Module, initial: Mapping[Slot, torch.Tensor]) -> None:
        super().__init__()
        self.module = module
        slots = tuple(initial)
        self.arguments = tuple(slot.argument for slot in slots)
        values = {slot.argument: tensor for slot, tensor in initial.items()}

        def forward_with_state(*args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:
            state = {slot: kwargs.pop(slot.argument, values[slot.argument]).clone() for slot in slots}
            before = {slot: _read(module, slot) for slot in slots}
            try:
                for slot, tensor in state.items():
                    _assign(module, slot, tensor)
                outputs = named_tensors(module(*args, **kwargs), ())
                after = {slot.argument: _read(module, slot) for slot in slots}
            finally:
                for slot, tensor in before.items():
                    _assign(module, slot, tensor)
            names = unique([*outputs, *after], ())
            return dict(zip(names, [*outputs.values(), *after.values()], strict=True))

        forward_with_state.__signature__ = _signature(module, values)  # type: ignore[attr-defined]
        self.forward = forward_with_state


def with_state(loaded: LoadedModel, inputs: Inputs) -> tuple[LoadedModel, Inputs]:
    """The model with all that its ``forward`` changes as arguments; as it was where nothing changes.

    The values that the state begins with are those before the first call, where they were there.
    """
    module = loaded.module
    first = {path: tensor.detach().clone() for path, tensor in kept_tensors(module).items()}
    _, changed = call_and_watch(module, inputs)
    slots = [slot for path in changed if (slot := _slot(module, path)) is not None]
    if not slots:
        return loaded, inputs
    parameters = inspect.signature(module.forward).parameters
    arguments = unique([slot.path.replace(".", "_") for slot in slots], parameters)
    initial = {}
    for slot, argument in zip(slots, arguments, strict=True):
        now, begun = _read(module, slot), first.get(slot.path)
        value = begun if begun is not None and begun.shape == now.shape else now.detach().clone()
        _assign(module, slot, value.clone())
        initial[replace(slot, argument=argument)] = value
    wrapped = replace(loaded, module=StatefulModule(module, initial))
    state = {slot.argument: tensor for slot, tensor in initial.items()}
    return wrapped, replace(inputs, kwargs={**inputs.kwargs, **state})


def call_and_watch(module: torch.nn.Module, inputs: Inputs) -> tuple[CallOutput, tuple[str, ...]]:
    """The first call of ``module``, and the tensors in it that every call changes, by their paths.

    What the first call alone builds, such as anchors for the size of the picture, is not among them.
    """
    before = _marks(module)
    answer = call(module, inputs)
    if not _changes(before, module):
        return answer, ()
    before = _marks(module)
    call(module, inputs)
    return answer, _changes(before, module)


Marks = dict[str, tuple[torch.Tensor, int]]


def _marks(module: torch.nn.Module) -> Marks:
    return {path: (tensor, tensor._version) for path, tensor in kept_tensors(module).items()}


def _changes(before: Marks, module: torch.nn.Module) -> tuple[str, ...]:
    return tuple(
        path
        for path, tensor in kept_tensors(module).items()
        if path not in before or before[path][0] is not tensor or before[path][1] != tensor._version
    )


def kept_tensors(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Every tensor that a module holds: parameters, buffers, attributes, and what lies in lists and dicts of them."""
    tensors: dict[str, torch.Tensor] = {}
    for path, owner in module.named_modules():
        own = {key: value for key, value in owner.__dict__.items() if not key.startswith(("_parameters", "_buffers"))}
        for name, value in {**owner._parameters, **owner._buffers, **own}.items():
            start = f"{path}.{name}".lstrip(".")
            if isinstance(value, torch.Tensor):
                tensors[start] = value
            elif isinstance(value, (list, tuple, dict)) and not name.startswith("_"):
                for keys, leaf in pytree.tree_leaves_with_path(value):
                    if isinstance(leaf, torch.Tensor):
                        tensors[start + pytree.keystr(keys)] = leaf
    return tensors


def _slot(module: torch.nn.Module, path: str) -> Slot | None:
    """The place that ``path`` names; None in a container, which has no place that can be assigned alone."""
    owner, _, name = path.rpartition(".")
    holder = dict(module.named_modules()).get(owner)
    return Slot(owner, name) if holder is not None and isinstance(getattr(holder, name, None), torch.Tensor) else None


def state_names(module: torch.nn.Module, answer: CallOutput) -> dict[str, str]:
    """Input -> output of the state that ``module`` was given by :func:`with_state`."""
    if not isinstance(module, StatefulModule):
        return {}
    names = list(answer.tensors)[: len(answer.tensors) - len(answer.changed)]
    return dict(zip(module.arguments, names[-len(module.arguments) :], strict=True))


def _signature(module: torch.nn.Module, state: Mapping[str, Any]) -> inspect.Signature:
    signature = inspect.signature(module.forward)
    parameters = list(signature.parameters.values())
    rest = [item for item in parameters if item.kind is item.VAR_KEYWORD]
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in state]
    return signature.replace(parameters=[item for item in parameters if item not in rest] + added + rest)


def _read(module: torch.nn.Module, slot: Slot) -> torch.Tensor:
    tensor: torch.Tensor = getattr(module.get_submodule(slot.owner), slot.name)
    return tensor


def _assign(module: torch.nn.Module, slot: Slot, tensor: torch.Tensor) -> None:
    owner = module.get_submodule(slot.owner)
    (owner._buffers if slot.name in owner._buffers else owner.__dict__)[slot.name] = tensor
