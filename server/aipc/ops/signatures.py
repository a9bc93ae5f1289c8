"""The parameters of torch operators, so that a text-only linter can name the arguments of a call."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import torch

Parameters = tuple[Any, ...]
_PLAIN = (bool, int, float, str, type(None))


def resolve(name: str) -> Any:
    """The object of a qualified name such as ``torch.nn.functional.relu``, None when there is none."""
    parts = name.split(".")
    try:
        value: Any = importlib.import_module(parts[0])
    except ImportError:
        return None
    for index, part in enumerate(parts[1:], 2):
        if not hasattr(value, part):
            try:
                importlib.import_module(".".join(parts[:index]))
            except ImportError:
                return None
        value = getattr(value, part, None)
        if value is None:
            return None
    return value


def parameters(name: str) -> Parameters:
    """Names in order, each as (name, default) where it has one that JSON can hold; () when nobody knows.

    A module's are its constructor's, a method's come without ``self``.
    """
    specification = resolve(name)
    if specification is None:
        return ()
    method = name.startswith("torch.Tensor.")
    try:
        signature = inspect.signature(specification)
    except (TypeError, ValueError):
        return _of_schema(name, method)
    kinds = {item.kind for item in signature.parameters.values()}
    if inspect.Parameter.VAR_KEYWORD in kinds or inspect.Parameter.VAR_POSITIONAL in kinds:
        return _of_schema(name, method)
    items = list(signature.parameters.values())
    return tuple(_entry(item.name, item.default) for item in items[1 if method else 0 :])


def _entry(name: str, default: Any) -> Any:
    if default is inspect.Parameter.empty:
        return name
    if isinstance(default, tuple):
        default = list(default)
    plain = isinstance(default, _PLAIN) or (isinstance(default, list) and all(isinstance(i, _PLAIN) for i in default))
    return (name, default) if plain else name


def _of_schema(name: str, method: bool) -> Parameters:
    """From the ATen operator's schema: of its overloads the one that names the most arguments."""
    *module, short = name.split(".")
    short = short.strip("_")
    prefixes = (f"{module[-1]}_", "") if module[-1] in {"linalg", "fft", "special"} else ("",)
    packet = next(
        (overloads for prefix in prefixes if (overloads := getattr(torch.ops.aten, prefix + short, None))), None
    )
    if packet is None:
        return ()
    schemas = [getattr(packet, overload)._schema.arguments for overload in packet.overloads()]
    # Named dimensions are nobody's, and results that are given are no part of a graph.
    usual = [
        arguments
        for arguments in schemas
        if not any(item.is_out or "Dimname" in str(item.type) or item.name == "generator" for item in arguments)
    ]
    arguments = max(usual or schemas, key=len)
    entries = [
        _entry(item.name, item.default_value if item.has_default_value() else inspect.Parameter.empty)
        for item in arguments
    ]
    if method and arguments and arguments[0].name == "self":
        return tuple(entries[1:])
    return tuple("input" if entry == "self" else entry for entry in entries)
