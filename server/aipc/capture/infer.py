"""Infer example inputs from a model's signature and first layers, and try them.

A candidate is tried on fake tensors first (shapes only, no arithmetic), then with one real forward.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from aipc.core.errors import NoInputsError

from .arguments import Inputs, shape_text
from .spec import random_tensor
from .stated_shapes import Stated, stated_candidates, stated_shapes
from .transformers_inputs import configured_inputs

_SIDES = (224, 256, 64, 32, 640, 128, 96, 512)
_TOKENS = re.compile(r"(^|_)(ids|tokens?|idx|indices|labels?)$")
_MASKS = re.compile(r"mask")
_TIMES = re.compile(r"^(t|ts|time|time_?steps?|steps?|sigmas?|noise_levels?|log_snr)$")
_LENGTHS = re.compile(r"(^|_)(lengths?|lens)$")
_EDGES = re.compile(r"^edge_(index|indices)$")
_JAXTYPING = re.compile(r"^(?P<kind>Float|Int|Bool|UInt8)?.*?['\"](?P<dims>[^'\"]+)['\"]")
_MAX_TRIES = 48


def image_size(module: torch.nn.Module) -> tuple[int, int] | None:
    """(height, width) that the model says it wants, under the names that libraries use."""
    for item in module.modules():
        for name in ("img_size", "image_size", "imgsz", "input_size"):
            value = getattr(item, name, None)
            if isinstance(value, int) and value >= 8:
                return value, value
            if isinstance(value, (tuple, list)) and all(isinstance(side, int) for side in value) and len(value) >= 2:
                return int(value[-2]), int(value[-1])
    config = getattr(module, "default_cfg", None) or getattr(module, "pretrained_cfg", None)
    size = config.get("input_size") if isinstance(config, dict) else None
    return (int(size[-2]), int(size[-1])) if size else None


def infer_inputs(module: torch.nn.Module) -> Inputs:
    """Example inputs that ``module`` accepts.

    Raises:
        NoInputsError: none of the candidates was accepted; the remedy says how to give them.
    """
    parameters = _required(module)
    if not parameters:
        return Inputs((), {}, "forward takes no arguments")
    stated = stated_shapes(module)
    candidates = [list(dict.fromkeys(_candidates(parameter, module, stated))) for parameter in parameters]
    tried: list[str] = []
    dtypes = {item.dtype for item in module.parameters() if item.is_floating_point()}
    wide = torch.float64 if dtypes == {torch.float64} else torch.float32
    for choice in itertools.islice(_diagonal(candidates), _MAX_TRIES):
        choice = tuple((shape, wide if dtype is torch.float32 else dtype) for shape, dtype in choice)
        arguments = tuple(random_tensor(list(shape), dtype, high=_vocabulary(module)) for shape, dtype in choice)
        tried.append(", ".join(f"{dtype}{list(shape)}".removeprefix("torch.") for shape, dtype in choice))
        if _accepts(module, arguments):
            return Inputs(
                arguments,
                {},
                f"inferred from the signature and the first layers, accepted at try {len(tried)}",
            )
    if named := configured_inputs(module, _vocabulary(module)):
        shapes = ", ".join(f"{name} {list(item.shape)}" for name, item in named.items())
        tried.append(shapes)
        if _accepts(module, (), named):
            return Inputs((), named, "inferred from the configuration of transformers")
    names = ", ".join(parameter.name for parameter in parameters)
    proposals = {
        parameter.name: shape_text(*choices[0]) for parameter, choices in zip(parameters, candidates, strict=True)
    }
    form = ", ".join(f'{name} = "{text}"' for name, text in proposals.items())
    raise NoInputsError(
        f"no example inputs were found for forward({names}): tried {len(tried)}, "
        f"for example {tried[0] if tried else '-'}",
        remedy=f"give them in the configuration, in the form of inputs = {{ {form} }}",
        proposals=proposals,
    )


def _required(module: torch.nn.Module) -> list[inspect.Parameter]:
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return []
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    required = [item for item in parameters if item.kind in kinds and item.default is item.empty]
    # transformers' models have only optional arguments: the first one is the input.
    if not required:
        required = [item for item in parameters if item.kind in kinds or item.kind is item.VAR_POSITIONAL][:1]
    return required


def _first_leaf(module: torch.nn.Module) -> nn.Module | None:
    known = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, nn.Embedding, nn.LSTM, nn.GRU, nn.RNN)
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm)
    leaves = [item for item in module.modules() if isinstance(item, (*known, *norms))]
    return leaves[0] if leaves else None


def _candidates(
    parameter: inspect.Parameter, module: nn.Module, stated: Mapping[str, Stated]
) -> Iterator[tuple[tuple[int, ...], torch.dtype]]:
    if annotated := _annotated(parameter.annotation):
        yield annotated
    if _TOKENS.search(parameter.name):
        yield from (((1, length), torch.int64) for length in (16, 128, 8))
        yield (1,), torch.int64
        return
    if _EDGES.search(parameter.name):
        yield (2, 16), torch.int64
        return
    if _TIMES.search(parameter.name):
        yield from (((1,), torch.float32), ((1,), torch.int64), ((1, 1), torch.float32))
    if _LENGTHS.search(parameter.name):
        yield (1,), torch.int64
    if _MASKS.search(parameter.name):
        yield (1, 16), torch.int64
    leaf = _first_leaf(module)
    size = image_size(module)
    sides = [*([size] if size else []), *((side, side) for side in _SIDES)]
    yield from stated_candidates(stated, parameter.name, module, sides)
    if isinstance(leaf, nn.Conv2d):
        yield from (((1, leaf.in_channels, *side), torch.float32) for side in sides)
    elif isinstance(leaf, nn.Conv1d):
        yield from (((1, leaf.in_channels, length), torch.float32) for length in (128, 3000, 1024, 16000))
    elif isinstance(leaf, nn.Conv3d):
        yield from (((1, leaf.in_channels, 8, side, side), torch.float32) for side in (32, 64, 112))
    elif isinstance(leaf, nn.Embedding):
        yield (1, 16), torch.int64
    elif isinstance(leaf, (nn.LSTM, nn.GRU, nn.RNN)):
        yield (1, 16, leaf.input_size), torch.float32
    elif isinstance(leaf, nn.BatchNorm1d):
        yield from (((1, leaf.num_features, 16), torch.float32), ((1, leaf.num_features), torch.float32))
    elif isinstance(leaf, nn.BatchNorm2d):
        yield from (((1, leaf.num_features, side, side), torch.float32) for side in (32, 64))
    elif isinstance(leaf, nn.BatchNorm3d):
        yield (1, leaf.num_features, 4, 16, 16), torch.float32
    elif isinstance(leaf, nn.LayerNorm):
        yield (1, 16, *leaf.normalized_shape), torch.float32
    if isinstance(leaf, nn.Linear):
        features = leaf.in_features
        yield from (((1, features), torch.float32), ((1, 16, features), torch.float32))
        # The features may be a flattened image.
        for channels in (1, 3):
            side = int((features / channels) ** 0.5)
            if side > 1 and side * side * channels == features:
                yield (1, channels, side, side), torch.float32
    yield from (((1, 3, *side), torch.float32) for side in sides[:3])
    yield from (((1, 16, 16, 16), torch.float32), ((1, 16), torch.float32), ((1, 16, 16), torch.float32))


def _annotated(annotation: Any) -> tuple[tuple[int, ...], torch.dtype] | None:
    """A jaxtyping annotation, as an object or as text: ``Float[Tensor, "batch 3 224 224"]``."""
    dims = getattr(annotation, "dim_str", None)
    text = str(annotation) if dims is None else f"{annotation.__name__} '{dims}'"
    match = _JAXTYPING.search(text)
    if not match or ("[" not in text and dims is None):
        return None
    sizes: list[int] = []
    for item in match["dims"].split():
        name, _, size = item.lstrip("*#").rpartition("=")
        value = size or name
        sizes.append(int(value) if value.isdigit() else 1 if not sizes else 16)
    kinds = {"Int": torch.int64, "Bool": torch.bool, "UInt8": torch.uint8}
    return tuple(sizes), kinds.get(match["kind"] or "Float", torch.float32)


def _diagonal(candidates: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """Combinations in the order of the sum of their ranks: likely ones first."""
    if len(candidates) == 1:
        yield from ((item,) for item in candidates[0])
        return
    indices = itertools.product(*(range(len(group)) for group in candidates[:4]))
    rest = [group[0] for group in candidates[4:]]
    for choice in sorted(itertools.islice(indices, 4096), key=sum):
        yield (*(group[index] for group, index in zip(candidates, choice, strict=False)), *rest)


def _vocabulary(module: nn.Module) -> int:
    sizes = [item.num_embeddings for item in module.modules() if isinstance(item, nn.Embedding)]
    return min([*sizes, 1000]) if sizes else 2


def _accepts(
    module: nn.Module, arguments: tuple[torch.Tensor, ...], named: Mapping[str, torch.Tensor] | None = None
) -> bool:
    named = dict(named or {})
    from torch._subclasses.fake_tensor import (
        DataDependentOutputException,
        DynamicOutputShapeException,
        FakeTensorMode,
    )

    try:
        with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True) as mode:
            module(
                *(mode.from_tensor(item) for item in arguments),
                **{name: mode.from_tensor(item) for name, item in named.items()},
            )
    except (DataDependentOutputException, DynamicOutputShapeException):
        pass
    except Exception:
        return False
    try:
        with torch.no_grad():
            module(*arguments, **named)
    except Exception:
        return False
    return True
