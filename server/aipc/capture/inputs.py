"""Example inputs for a model: from the configuration, from the model's own ``example_inputs()``, or inferred."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils import _pytree as pytree

from aipc.core.errors import InputError

from . import spec as specs
from .arguments import Inputs, parameter_names
from .infer import infer_inputs
from .load import HALVES, LoadedModel, import_file, raised


def example_inputs(loaded: LoadedModel) -> Inputs:
    """Example inputs of ``loaded``, floats of 16 bits as float32 where its weights were made that.

    The first that exists of: configured inputs, ``example_inputs()`` of the class, factory or instance, inference.

    Raises:
        InputError: what was configured cannot be read, or nothing fitting was found.
    """
    example = _inputs_of_model(loaded)
    if not loaded.widened:
        return example
    args, kwargs = pytree.tree_map(_widened, (tuple(example.args), dict(example.kwargs)))
    return Inputs(args, kwargs, example.provenance)


def _widened(value: Any) -> Any:
    return value.float() if isinstance(value, torch.Tensor) and value.dtype in HALVES else value


def _inputs_of_model(loaded: LoadedModel) -> Inputs:
    config = loaded.ref.config
    dims = config.sizes if config else {}
    if loaded.ref.inputs is not None:
        return _configured(loaded, loaded.ref.inputs, dims)
    # The instance first: on a class, a method that takes self could not be called.
    for holder in (loaded.module, loaded.source):
        method = getattr(holder, "example_inputs", None)
        if callable(method):
            args, kwargs = specs.as_arguments(_value_of(method, loaded, "example_inputs()"), "example_inputs()")
            return Inputs(args, kwargs, "the model's own example_inputs()")
    return infer_inputs(loaded.module)


def _configured(loaded: LoadedModel, value: Any, dims: Mapping[str, int]) -> Inputs:
    if isinstance(value, Mapping):
        names = parameter_names(loaded.module)
        kwargs = {name: _one(loaded, text, dims) for name, text in value.items()}
        unknown = [name for name in kwargs if names and name not in names]
        if unknown and len(kwargs) == 1 and names:
            # One input under a name of the user's own choosing: it can only be the first argument.
            return Inputs((next(iter(kwargs.values())),), {}, "the configuration")
        if unknown:
            raise InputError(
                f"forward has no argument {unknown[0]!r}",
                remedy=f"its arguments are {', '.join(names) or 'unnamed'}",
            )
        # Positional where possible: a wrapper's forward(*args) takes no keywords.
        ordered = [name for name in names if name in kwargs]
        if ordered == names[: len(ordered)]:
            return Inputs(tuple(kwargs[name] for name in ordered), {}, "the configuration")
        return Inputs((), kwargs, "the configuration")
    if isinstance(value, (tuple, list)):
        return Inputs(tuple(_one(loaded, text, dims) for text in value), {}, "the configuration")
    text = str(value)
    path = _path(loaded, text)
    if path.suffix == ".npz":
        arrays = specs.array_file(path)
        names = parameter_names(loaded.module)
        if set(arrays) <= set(names):
            return Inputs((), arrays, f"{path.name}")
        return Inputs(tuple(arrays.values()), {}, f"{path.name}")
    if ".py:" in text:
        args, kwargs = specs.as_arguments(_called(loaded, text), text)
        return Inputs(args, kwargs, text)
    return Inputs((_one(loaded, text, dims),), {}, "the configuration")


def _one(loaded: LoadedModel, text: str, dims: Mapping[str, int]) -> torch.Tensor:
    """One argument from a shape string, an image, a NumPy file or a callable."""
    if specs.is_shape(text):
        return specs.tensor_from(text, dims=dims, high=_vocabulary(loaded.module))
    path = _path(loaded, text)
    if specs.is_image(text):
        from .infer import image_size

        return specs.image_file(path, image_size(loaded.module) or (224, 224))
    if path.suffix in {".npy", ".npz"}:
        return next(iter(specs.array_file(path).values()))
    if ".py:" in text:
        value = _called(loaded, text)
        if isinstance(value, torch.Tensor):
            return value
        args, kwargs = specs.as_arguments(value, text)
        first: torch.Tensor = next(iter((*args, *kwargs.values())))
        return first
    raise InputError(
        f"the input {text!r} is neither a shape, an image, a NumPy file nor file.py:function",
        remedy="write for example float32[1,3,640,640]",
    )


def _path(loaded: LoadedModel, text: str) -> Path:
    path = Path(text).expanduser()
    return path if path.is_absolute() else loaded.ref.root / path


def _called(loaded: LoadedModel, text: str) -> Any:
    file, _, name = text.rpartition(":")
    path = _path(loaded, file)
    if not path.is_file():
        raise InputError(f"there is no file {path}", remedy="correct the inputs in the configuration")
    function = getattr(import_file(path, loaded.ref.root), name, None)
    if not callable(function):
        raise InputError(f"there is no function {name} in {path}", remedy="correct the inputs in the configuration")
    return _value_of(function, loaded, name)


def _value_of(function: Callable[[], Any], loaded: LoadedModel, what: str) -> Any:
    """What a function of the author's returns; of a generator or a loader of batches the first one.

    Raises:
        AipcError: it raises, or there is no first one.
    """
    try:
        value = function()
        if not isinstance(value, (torch.Tensor, tuple, list, Mapping)) and hasattr(value, "__iter__"):
            value = next(iter(value))
    except StopIteration:
        raise InputError(f"{what} gives nothing", remedy="let it give one set of inputs") from None
    except Exception as error:
        raise raised(error, loaded.ref.path, what) from error
    return value


def _vocabulary(module: torch.nn.Module) -> int:
    sizes = [item.num_embeddings for item in module.modules() if isinstance(item, torch.nn.Embedding)]
    return min([*sizes, 1000]) if sizes else 10
