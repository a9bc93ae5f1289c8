"""What goes into a captured graph and comes out of it, under the names that the author's code gives.

The same function names the graph's tensors when it is written and when PyTorch is run again on other inputs, so
nothing has to be matched by its values.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from .arguments import Inputs

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, slots=True)
class CallOutput:
    """What one call of a module gave.

    ``tensors``: every tensor of the answer by its name, then the arguments that ``forward`` changed in place and did
    not return. ``changed``: the places of those among the tensors of the arguments.
    """

    tensors: Mapping[str, torch.Tensor]
    changed: tuple[int, ...] = ()


def call(module: torch.nn.Module, inputs: Inputs) -> CallOutput:
    """Run ``module`` on copies of ``inputs``, without gradients."""
    args, kwargs = pytree.tree_map(_copy, (tuple(inputs.args), dict(inputs.kwargs)))
    names = input_names(module, inputs)
    call_tensors = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    versions = [leaf._version for leaf in call_tensors]
    with torch.no_grad():
        value = module(*args, **kwargs)
    tensors = named_tensors(value, names)
    returned = {id(tensor) for tensor in tensors.values()}
    changed = tuple(
        place
        for place, (leaf, version) in enumerate(zip(call_tensors, versions, strict=True))
        if leaf._version != version and id(leaf) not in returned
    )
    outputs = [*tensors, *(names[place] for place in changed)]
    values = [*tensors.values(), *(call_tensors[place] for place in changed)]
    return CallOutput(dict(zip(unique(outputs, names), values, strict=True)), changed)


def input_names(module: torch.nn.Module, inputs: Inputs) -> tuple[str, ...]:
    """A name for every tensor in ``inputs``: its argument's, and the keys and places on the way to it."""
    positions = _positional_names(module, len(inputs.args))
    names = []
    for path, leaf in _leaves_with_path((tuple(inputs.args), dict(inputs.kwargs))):
        if isinstance(leaf, torch.Tensor):
            first = positions[path[1].idx] if path[0].idx == 0 else str(path[1].key)
            names.append("_".join([first, *map(_key_text, path[2:])]))
    return unique(names, ())


def _positional_names(module: torch.nn.Module, count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for item in parameters:
        if item.kind is item.VAR_POSITIONAL:
            names += [f"{item.name}_{place}" for place in range(count - len(names))]
        elif item.kind in {item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD}:
            names.append(item.name)
    return [*names, *(f"input_{place}" for place in range(len(names), count))]


def named_tensors(value: Any, inputs: Sequence[str]) -> dict[str, torch.Tensor]:
    """Every tensor of what ``forward`` returned: by keys and fields, else ``output`` or ``output_0`` ...

    Args:
        inputs: names that are taken; an output of the same name gets ``_out`` behind it.
    """
    register_containers(value)
    tensors = [(path, leaf) for path, leaf in _leaves_with_path(value) if isinstance(leaf, torch.Tensor)]
    names = ["_".join(map(_key_text, path)) for path, _ in tensors]
    names = [name if name and not name[0].isdigit() else f"output_{name}".rstrip("_") for name in names]
    return dict(zip(unique(names, inputs), (leaf for _, leaf in tensors), strict=True))


def unique(names: Iterable[str], used_names: Iterable[str]) -> tuple[str, ...]:
    """The names in their order, those that are taken with ``_out`` behind them."""
    used, result = set(used_names), []
    for name in names:
        while name in used:
            name += "_out"
        used.add(name)
        result.append(name)
    return tuple(result)


def register_containers(value: Any) -> None:
    """Let PyTorch look into mappings and dataclasses that it does not know, to any depth."""
    while True:
        unknown = {type(leaf) for leaf in pytree.tree_leaves(value) if _is_container(leaf)}
        if not unknown:
            return
        for kind in unknown:
            if dataclasses.is_dataclass(kind):
                torch.export.register_dataclass(kind)
            else:
                _register_mapping(kind)


def _is_container(leaf: Any) -> bool:
    return isinstance(leaf, Mapping) or (dataclasses.is_dataclass(leaf) and not isinstance(leaf, type))


def _register_mapping(kind: type) -> None:
    pytree.register_pytree_node(
        kind,
        lambda value: (list(value.values()), list(value.keys())),
        lambda values, keys: dict(zip(keys, values, strict=True)),
        flatten_with_keys_fn=lambda value: (
            [(pytree.MappingKey(key), item) for key, item in value.items()],
            list(value.keys()),
        ),
        serialized_type_name=f"{kind.__module__}.{kind.__qualname__}",
    )


def _leaves_with_path(value: Any) -> list[tuple[tuple[Any, ...], Any]]:
    try:
        return [(tuple(path), leaf) for path, leaf in pytree.tree_leaves_with_path(value)]
    except ValueError:
        # A library registered its container without keys.
        return [((pytree.SequenceKey(place),), leaf) for place, leaf in enumerate(pytree.tree_leaves(value))]


def _key_text(key: Any) -> str:
    text = str(getattr(key, "key", getattr(key, "name", getattr(key, "idx", ""))))
    return "".join(character if character.isprintable() else "_" for character in text)


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def runner(module: torch.nn.Module, example: Inputs) -> Callable[[Mapping[str, np.ndarray[Any, Any]]], Arrays]:
    """A function from arrays under the graph's input names to PyTorch's outputs under the graph's output names.

    Inputs that are not given keep their example values. float64 results come as float32, as the graph has them.
    """
    leaves, structure = pytree.tree_flatten((tuple(example.args), dict(example.kwargs)))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]
    names = input_names(module, example)
    # Modules that build state at their first call did so on the example when they were captured.
    call(module, example)

    def run(arrays: Mapping[str, np.ndarray[Any, Any]]) -> Arrays:
        filled = list(leaves)
        for name, place in zip(names, places, strict=True):
            if name in arrays:
                filled[place] = torch.from_numpy(np.array(arrays[name])).to(leaves[place].dtype)
        args, kwargs = pytree.tree_unflatten(filled, structure)
        answer = call(module, Inputs(args, kwargs))
        return {name: as_array(tensor) for name, tensor in answer.tensors.items()}

    return run


def as_array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """A tensor as the graph has it: float64 and bfloat16 as float32, complex numbers as pairs on a last axis."""
    tensor = tensor.detach()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    if tensor.dtype in {torch.float64, torch.bfloat16}:
        tensor = tensor.float()
    array: np.ndarray[Any, Any] = tensor.contiguous().numpy()
    return array
