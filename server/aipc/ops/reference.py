"""Export a case once, and work out what every SoC should answer: fp32 by PyTorch and correctly rounded fp16 executions.

What a directory holds afterwards: ``model.onnx``, and ``arrays.npz`` with ``SET/in/I``, ``SET/out/O`` and
``SET/fp16/K/O`` (see ``numerics.node_verdict``: the first execution with
the inputs as they are, the others with moved ones).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils import _pytree as pytree

from aipc.capture.export import Exported, export
from aipc.capture.failures import findings_of
from aipc.capture.recorder import ConstructionRecorder
from aipc.core.errors import AipcError
from aipc.core.hashing import hash_files, hash_value
from aipc.numerics.fp16 import exact_tensors, round_fp16
from aipc.numerics.npz import write_npz
from aipc.numerics.stepper import Stepper, load

from .catalogue._case import Case
from .inputs import SETS, example, has_boundary

Array = np.ndarray[Any, Any]
_STEP = 2.0**-11
_SEEDS = 3
"""Two moved executions each: with two inputs, an element sees all four ways to move seven times out of eight."""


def write_case(case: Case, directory: Path) -> dict[str, Any]:
    """Fill ``directory`` and return what is known of the case on every SoC.

    Raises:
        AipcError: the case itself is wrong: PyTorch cannot run it.
    """
    started = time.perf_counter()
    torch.manual_seed(0)
    with ConstructionRecorder() as constructions:
        module = case.build().eval()
    inputs = {"random": example(case, "random")}
    reference, called = _forward(case, module, inputs["random"])
    if has_boundary(case) and not case.random:
        inputs["boundary"] = example(case, "boundary")
    facts: dict[str, Any] = {"exports": True, "reason": "", "called": called, "operators": [], "nodes": []}
    try:
        exported = export(module, tuple(map(torch.from_numpy, inputs["random"])), {}, constructions, refuse=False)
    except Exception as error:
        finding = findings_of(error, directory)[0]
        lines = (finding.compiler or finding.message).strip().splitlines()
        facts |= {"exports": False, "reason": lines[0][:400] if lines else finding.message}
        return facts | {"content": hash_value([case.id, facts["reason"]]), "seconds": time.perf_counter() - started}
    _name_values(exported, len(inputs["random"]))
    ir.save(exported.model, directory / "model.onnx")
    facts |= {"operators": list(exported.operators), "nodes": [node.op_type for node in exported.model.graph]}
    facts["differs"] = {}
    arrays: dict[str, Array] = {}
    stepper = Stepper(load(directory / "model.onnx"))
    for kind, values in inputs.items():
        with contextlib.suppress(AipcError):  # boundary values may lie outside of an operator's domain
            expected = reference if kind == "random" else _forward(case, module, values)[0]
            arrays |= {f"{kind}/in/{index}": array for index, array in enumerate(values)}
            arrays |= {f"{kind}/out/{index}": array for index, array in enumerate(expected)}
            if not case.random:
                ideals, note = _ideals(stepper, module, values, expected)
                arrays |= {
                    f"{kind}/fp16/{k}/{i}": array for k, ideal in enumerate(ideals) for i, array in enumerate(ideal)
                }
                facts["differs"] |= {kind: note} if note else {}
    write_npz(directory / "arrays.npz", arrays)
    content = hash_value(list(hash_files([directory / "model.onnx", directory / "arrays.npz"]).values()))
    return facts | {"content": content, "seconds": time.perf_counter() - started}


class _Calls(TorchFunctionMode):
    """Remembers which torch functions were called, by their public names."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with contextlib.suppress(Exception):
            if name := resolve_name(func):
                self.names[name] = None
        return func(*args, **(kwargs or {}))


def _forward(case: Case, module: torch.nn.Module, inputs: Sequence[Array]) -> tuple[list[Array], list[str]]:
    try:
        torch.manual_seed(0)
        with torch.no_grad(), _Calls() as calls:
            result = module(*(torch.from_numpy(array.copy()) for array in inputs))
    except Exception as error:
        raise AipcError(f"PyTorch cannot run the case {case.id}: {type(error).__name__}: {error}") from error
    leaves = [leaf for leaf in pytree.tree_leaves(result) if isinstance(leaf, torch.Tensor)]
    return [leaf.detach().numpy().copy() for leaf in leaves], list(calls.names)


def _name_values(exported: Exported, count: int) -> None:
    graph = exported.model.graph
    if len(graph.inputs) != count:
        raise AipcError(f"the graph reads {len(graph.inputs)} of the {count} inputs of the case")
    for index, value in enumerate(graph.inputs):
        value.name = f"in_{index}"


def _ideals(
    stepper: Stepper, module: torch.nn.Module, inputs: Sequence[Array], expected: Sequence[Array]
) -> tuple[list[list[Array]], str]:
    """fp16 executions of the graph, and how the graph differs from PyTorch in fp32 ("" when it does not).

    Where the graph differs, or the CPU provider cannot run it, PyTorch itself executes it, rounding only at both ends.
    """
    feeds = {f"in_{index}": array for index, array in enumerate(inputs)}
    exempt = exact_tensors(stepper)
    moved = [_moved(inputs, 0.0, 0), *(_moved(inputs, way, seed) for seed in range(_SEEDS) for way in (1.0, -1.0))]
    note = ""
    try:
        note = difference(expected, list(stepper.walk(feeds).values()))
        if not note:
            return [
                list(
                    stepper.walk(
                        {
                            name: feeds[name] if name in exempt else array
                            for name, array in zip(feeds, one, strict=True)
                        },
                        store=lambda name, array: array if name in exempt or name in feeds else round_fp16(array),
                    ).values()
                )
                for one in moved
            ], ""
    except AipcError:
        pass
    ideals = []
    for one in moved:
        with contextlib.suppress(Exception), torch.no_grad():
            torch.manual_seed(0)
            result = module(*(torch.from_numpy(array.copy()) for array in one))
            leaves = [leaf for leaf in pytree.tree_leaves(result) if isinstance(leaf, torch.Tensor)]
            ideals.append([round_fp16(leaf.detach().numpy()) for leaf in leaves])
    same = [one for one in ideals if [array.shape for array in one] == [array.shape for array in expected]]
    return same, note


def _moved(inputs: Sequence[Array], direction: float, seed: int) -> list[Array]:
    """The inputs rounded to fp16, each element then moved by one rounding step up or down at random."""
    rng = np.random.default_rng(seed)
    moved = []
    for array in inputs:
        signs = rng.integers(0, 2, array.shape) * 2 - 1
        rounded = round_fp16(array)
        if direction and array.dtype.kind == "f":
            rounded = np.asarray(rounded * (1.0 + direction * _STEP * signs)).astype(array.dtype)
        moved.append(rounded)
    return moved


def difference(expected: Sequence[Array], actual: Sequence[Array]) -> str:
    """How an execution in fp32 differs from PyTorch's, in words; "" where it does not."""
    for position, (wanted, got) in enumerate(zip(expected, actual, strict=True)):
        if wanted.shape != got.shape:
            return f"output {position} has shape {list(got.shape)} instead of {list(wanted.shape)}"
        true, measured = wanted.astype(np.float64), got.astype(np.float64)
        usable = np.isfinite(true)
        level = float(np.sqrt(np.mean(np.square(true[usable])))) if bool(usable.any()) else 0.0
        with np.errstate(invalid="ignore"):
            slack = 1e-3 * np.abs(true) + 1e-4 * level if wanted.dtype.kind == "f" else np.zeros_like(true)
            near = usable & (np.abs(measured - true) <= slack)
        wrong = ~(near | (true == measured) | (np.isnan(true) & np.isnan(measured)))
        if bool(wrong.any()):
            where = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
            return f"{measured[where]:g} instead of {true[where]:g} at {list(where)}"
    return ""


def read_sets(arrays: Mapping[str, Array]) -> dict[str, tuple[dict[str, Array], list[Array], list[list[Array]]]]:
    """Set -> (graph inputs, expected outputs, fp16 executions) of an ``arrays.npz``."""
    sets = {}
    for kind in SETS:
        names = [name for name in arrays if name.startswith(f"{kind}/")]
        if not names:
            continue
        inputs = {f"in_{name.split('/')[2]}": arrays[name] for name in names if "/in/" in name}
        expected = [arrays[name] for name in names if "/out/" in name]
        runs: dict[str, list[Array]] = {}
        for name in names:
            if "/fp16/" in name:
                runs.setdefault(name.split("/")[2], []).append(arrays[name])
        sets[kind] = (inputs, expected, list(runs.values()))
    return sets
