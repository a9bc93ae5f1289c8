"""Jobs of the judgement: what the original answers, what the patched model answers, and how far they are apart.

``reference`` and ``forward`` run code of the project and are confined. ``hold`` and ``simulate`` read only arrays and
ONNX files: no line of the patched source runs in them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from aipc.capture.arguments import parameter_names
from aipc.capture.load import load_model, seed_everything
from aipc.capture.model_with_inputs import open_model
from aipc.core.config import ModelRef
from aipc.core.errors import AipcError, InputError
from aipc.core.types import Event, OutputAccuracy
from aipc.numerics.cpu import run_cpu
from aipc.numerics.fp16 import ideal_fp16_sqnr
from aipc.numerics.metrics import accuracy, sqnr_db
from aipc.numerics.npz import read_npz, write_npz
from aipc.qairt.simulate import run_samples
from aipc.rewrites.boundary import boundary_sets

from .covering import BranchCoverage, cover
from .job_results import STATE, Forwarded, Reference, SideComparison
from .states import state_outputs

Array = np.ndarray[Any, Any]
Report = Callable[[Event], None]


def reference(report: Report, *, ref: ModelRef, out: str, inputs: str, seeds: Sequence[int]) -> Reference:
    """Run the original on its example inputs, on boundary values and on inputs drawn from ``seeds``.

    Args:
        out: directory for the outputs; ``inputs``: directory below it for the inputs and their structure.
    """
    loaded, module_inputs = open_model(ref)
    leaves, structure = pytree.tree_flatten((module_inputs.args, dict(module_inputs.kwargs)))
    at = [index for index, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]
    real = {str(index): _array(leaves[index]) for index in at}
    folder = Path(inputs)
    folder.mkdir(parents=True, exist_ok=True)
    examples: dict[str, dict[str, Array]] = {}
    dropped: list[str] = []
    floors: dict[str, float] = {}

    def answer(name: str, arrays: dict[str, Array]) -> bool:
        """Write what the original answers. Tells whether it does."""
        tensors = _filled(leaves, arrays)
        try:
            outputs = _call(loaded.module, pytree.tree_unflatten(tensors, structure))
        except Exception as error:
            if name == "real":
                lines = str(error).strip().splitlines() or ["no message"]
                raise InputError(f"forward raised {type(error).__name__} on the example inputs: {lines[0]}") from error
            return False
        if name != "real" and any(not np.isfinite(item).all() for item in outputs.values() if item.dtype.kind == "f"):
            return False
        examples[name] = arrays
        write_npz(folder / f"{name}.npz", arrays)
        write_npz(Path(out) / f"{name}.npz", outputs)
        if (floor := _fp32_floor(loaded.module, pytree.tree_unflatten(tensors, structure), outputs)) is not None:
            floors[name] = floor
        return True

    for name, arrays in _sets(real, seeds).items():
        # Integers may be sizes and positions, whose other values forward does not take: then only floats vary.
        if not answer(name, arrays) and not answer(name, {**arrays, **_integers(real)}):
            dropped.append(name)
    torch.save(
        {"leaves": leaves, "arguments": (module_inputs.args, dict(module_inputs.kwargs))}, folder / "structure.pt"
    )
    again = _call(loaded.module, pytree.tree_unflatten(_filled(leaves, real), structure))
    first = read_npz(Path(out) / "real.npz")
    draws = any(
        not np.array_equal(first[name], again[name], equal_nan=item.dtype.kind == "f") for name, item in again.items()
    )
    names = [name for name, _ in zip(parameter_names(loaded.module), module_inputs.args, strict=False)] + list(
        module_inputs.kwargs
    )
    clear = len(names) == len(leaves)
    parameters = _parameters(loaded.module)
    states: dict[str, Mapping[str, Array]] = {}
    coverage = BranchCoverage({}, ())
    if not draws:
        arguments = pytree.tree_unflatten(_filled(leaves, real), structure)
        states = state_outputs(loaded.module, lambda module: _answer(module, arguments))
        for name, outputs in states.items():
            write_npz(Path(out) / f"{STATE}{name}.npz", outputs)
        coverage = cover(
            ref,
            examples,
            lambda module, arrays: _call(module, pytree.tree_unflatten(_filled(leaves, arrays), structure)),
        )
        for name, arrays in coverage.sets.items():
            answer(name, dict(arrays))
    return Reference(
        sets=tuple(examples),
        dropped=tuple(dropped),
        arguments=tuple(names) if clear else (),
        parameters=parameters,
        draws=draws,
        states=tuple(states),
        floors=floors,
        uncovered=coverage.open,
    )


def _integers(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array for name, array in arrays.items() if array.dtype.kind in "iu"}


def _fp32_floor(module: torch.nn.Module, arguments: Any, outputs: Mapping[str, Array]) -> float | None:
    """SQNR in dB of fp32 outputs against the same module in fp64; None where it does not run in fp64."""
    try:
        exact = _call(copy.deepcopy(module).double(), pytree.tree_map_only(torch.Tensor, _double, arguments))
    except Exception:
        return None
    levels = [
        sqnr_db(exact[name], value)
        for name, value in outputs.items()
        if value.dtype.kind == "f" and name in exact and exact[name].shape == value.shape
    ]
    return min((level for level in levels if np.isfinite(level)), default=None)


def _double(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor


def _sets(real: Mapping[str, Array], seeds: Sequence[int]) -> dict[str, dict[str, Array]]:
    """Inputs by name: the real ones, the same with the other sign, boundary values, and some that nobody has seen."""
    sets = {"real": dict(real), "negated": {k: -v if v.dtype.kind == "f" else v for k, v in real.items()}}
    sets |= boundary_sets(real)
    for number, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        sets[f"unseen-{number}"] = {name: _drawn(rng, array) for name, array in real.items()}
    return sets


def _drawn(rng: np.random.Generator, array: Array) -> Array:
    """Other values of the same kind: floats of the same mean and spread, integers of the same range."""
    if array.size == 0:
        return array
    if array.dtype.kind == "f":
        values: Array
        spread = float(array.std()) or 1.0
        values = np.asarray(rng.standard_normal(array.shape)) * (spread * rng.uniform(0.5, 1.5)) + float(array.mean())
        if float(array.min()) >= 0:
            values = np.abs(values)  # pictures and probabilities are not negative; the negated set covers the rest
        return np.asarray(values.astype(array.dtype))
    if array.dtype.kind == "b":
        return np.asarray(rng.random(array.shape) < 0.5)
    return np.asarray(rng.integers(int(array.min()), int(array.max()) + 1, array.shape).astype(array.dtype))


def forward(
    report: Report, *, ref: ModelRef, out: str, examples: str, sets: Sequence[str], states: bool = False
) -> Forwarded:
    """Run the patched model on the sets of inputs in ``examples``; it never sees what the original answered.

    Args:
        states: run it on the example inputs in its other states, too (see ``agent.states``).
    """
    seed_everything()
    # With its state as arguments a module is another one, which takes the example inputs to make.
    loaded = open_model(ref)[0] if ref.config and ref.config.state else load_model(ref)
    saved = torch.load(Path(examples) / "structure.pt", weights_only=False)
    leaves, structure = saved["leaves"], pytree.tree_structure(saved["arguments"])
    names_of_sets: list[str] = []
    raised = ""
    for name in sets:
        tensors = _filled(leaves, read_npz(Path(examples) / f"{name}.npz"))
        try:
            outputs = _call(loaded.module, pytree.tree_unflatten(tensors, structure))
        except Exception as error:
            lines = str(error).strip().splitlines() or ["no message"]
            raised = f"{name}: {type(error).__name__}: {lines[0]}"[:500]
            break
        write_npz(Path(out) / f"{name}.npz", outputs)
        names_of_sets.append(name)
    parameters = _parameters(loaded.module)
    if states and not raised:
        arguments = pytree.tree_unflatten(_filled(leaves, read_npz(Path(examples) / "real.npz")), structure)
        for name, answers in state_outputs(loaded.module, lambda module: _answer(module, arguments)).items():
            write_npz(Path(out) / f"{STATE}{name}.npz", answers)
    return Forwarded(tuple(names_of_sets), raised, parameters)


def _call(module: torch.nn.Module, arguments: Any) -> dict[str, Array]:
    with torch.no_grad():
        return _answer(module, arguments)


def _answer(module: torch.nn.Module, arguments: Any) -> dict[str, Array]:
    args, kwargs = arguments
    answer = module(*args, **kwargs)
    tensors = [leaf for leaf in pytree.tree_leaves(answer) if isinstance(leaf, torch.Tensor)]
    return {f"output {index}": _array(leaf) for index, leaf in enumerate(tensors)}


def _array(tensor: torch.Tensor) -> Array:
    plain = tensor.detach().cpu()
    plain = plain.float() if plain.dtype in {torch.bfloat16, torch.float16} else plain
    return np.array(plain.resolve_conj().resolve_neg().numpy())


def _filled(leaves: Sequence[Any], arrays: Mapping[str, Array]) -> list[Any]:
    filled = list(leaves)
    for key, array in arrays.items():
        filled[int(key)] = torch.from_numpy(np.array(array)).to(leaves[int(key)].dtype)
    return filled


def _parameters(module: torch.nn.Module) -> tuple[str, ...]:
    return tuple(
        f"{name} {list(value.shape)} {value.dtype}"
        for name, value in module.state_dict().items()
        if isinstance(value, torch.Tensor)
    )


def hold(
    report: Report,
    *,
    reference: str,
    inputs: str,
    sets: Sequence[str],
    eager: str,
    graph: str,
    like: str,
    names: Sequence[str],
    states: Sequence[str] = (),
) -> tuple[SideComparison, ...]:
    """Hold the patched model's outputs, and its captured graph run on the CPU, against what the original answered.

    Args:
        eager: directory that ``forward`` wrote. graph: the captured ONNX file; ``like``: the .npz of its inputs.
        names: of the arguments, one for each tensor, where they are known.
        states: of the module, that the original answered in; the captured graph knows only one.
    """
    comparisons = []
    for name in states:
        wanted = read_npz(Path(reference) / f"{STATE}{name}.npz")
        try:
            comparisons.append(
                _compare_sets(STATE + name, "eager", wanted, read_npz(Path(eager) / f"{STATE}{name}.npz"))
            )
        except InputError:
            comparisons.append(
                SideComparison(STATE + name, "eager", (), "the change does not run there, and the original does")
            )
    for name in sets:
        wanted = read_npz(Path(reference) / f"{name}.npz")
        try:
            got = read_npz(Path(eager) / f"{name}.npz")
        except InputError:
            continue
        comparisons.append(_compare_sets(name, "eager", wanted, got))
        try:
            feeds = _feeds(read_npz(Path(inputs) / f"{name}.npz"), read_npz(like), names)
            answer = run_cpu(Path(graph), feeds)
        except AipcError as error:
            comparisons.append(SideComparison(name, "graph", (), str(error)[:500]))
            continue
        comparisons.append(_compare_sets(name, "graph", wanted, answer))
    return tuple(comparisons)


def hold_arrays(report: Report, *, wanted: str, got: str, sets: Sequence[str], side: str) -> tuple[SideComparison, ...]:
    """Hold the arrays of one directory against those of another, set by set."""
    return tuple(
        _compare_sets(name, side, read_npz(Path(wanted) / f"{name}.npz"), read_npz(Path(got) / f"{name}.npz"))
        for name in sets
    )


def simulate(
    report: Report,
    *,
    reference: str,
    inputs: str,
    sets: Sequence[str],
    compiled: str,
    graph: str | None,
    like: str,
    names: Sequence[str],
    soc: str,
) -> tuple[SideComparison, ...]:
    """Run the compiled graph on the simulator with our own inputs, against what the original answered.

    Args:
        graph: the ONNX file that was compiled in fp16: what correct rounding gives is measured of it. None for
            integers; then all sets together are one signal with one noise, as a package of integers is judged.
    """
    feeds_of_sets = [_feeds(read_npz(Path(inputs) / f"{name}.npz"), read_npz(like), names) for name in sets]
    pairs = []
    comparisons = []

    def announced_feeds() -> Iterator[Mapping[str, Array]]:
        for name, feeds in zip(sets, feeds_of_sets, strict=True):
            report(Event("simulator", f"running on {name} inputs"))
            yield feeds

    for name, feeds, execution in zip(sets, feeds_of_sets, run_samples(compiled, announced_feeds(), soc), strict=True):
        wanted = read_npz(Path(reference) / f"{name}.npz")
        pairs.append((wanted, execution.outputs))
        if graph is not None:
            ideal = ideal_fp16_sqnr(graph, feeds)
            comparisons.append(
                _compare_sets(name, "simulator", wanted, execution.outputs, list(ideal.values()) if ideal else None)
            )
    if graph is None:
        wanted, got = (
            {name: np.stack([one[name] for one in side]) for name in side[0]} for side in zip(*pairs, strict=True)
        )
        comparisons.append(_compare_sets(sets[0] if len(sets) == 1 else "held-out", "simulator", wanted, got))
    return tuple(comparisons)


def held_out(report: Report, *, samples: Sequence[str], real: str, names: Sequence[str], out: str) -> tuple[str, ...]:
    """Write samples of calibration data, which go by the graph's inputs, as sets of inputs of the model.

    Args:
        real: the example inputs as a set: its arrays go by the place of the tensor among ``forward``'s arguments.
        names: of the arguments, one for each tensor, where they are known.

    Returns:
        The names of the sets; none where it cannot be told which tensor an input of the graph is.
    """
    places = list(read_npz(real))
    written = []
    for number, path in enumerate(samples):
        arrays = read_npz(path)
        if len(arrays) == len(places):
            placed = dict(zip(places, arrays.values(), strict=True))
        elif names and set(arrays) <= set(names):
            placed = {**read_npz(real), **{places[names.index(name)]: array for name, array in arrays.items()}}
        else:
            return ()
        name = f"held-out-{number}"
        write_npz(Path(out) / f"{name}.npz", placed)
        written.append(name)
    return tuple(written)


def _feeds(arrays: Mapping[str, Array], like: Mapping[str, Array], names: Sequence[str]) -> dict[str, Array]:
    """The tensors by the names of the graph's inputs: in order, or by argument where the graph leaves some out."""
    values = list(arrays.values())
    if len(values) == len(like):
        pairs = list(zip(like, values, strict=True))
    else:
        by_name = dict(zip(names, values, strict=False))
        missing = [name for name in like if name not in by_name]
        if missing:
            raise InputError(f"the patched model has an input {missing[0]!r} that the original has not")
        pairs = [(name, by_name[name]) for name in like]
    for name, value in pairs:
        if value.shape != like[name].shape or value.dtype != like[name].dtype:
            raise InputError(
                f"the patched model's input {name} is {like[name].dtype}{list(like[name].shape)}, the original's "
                f"{value.dtype}{list(value.shape)}"
            )
    return dict(pairs)


def _compare_sets(
    name: str, side: str, wanted: Mapping[str, Array], got: Mapping[str, Array], ideal: Sequence[float] | None = None
) -> SideComparison:
    if len(wanted) != len(got):
        return SideComparison(name, side, (), f"{len(got)} outputs instead of {len(wanted)}")
    figures: list[OutputAccuracy] = []
    for index, (output, expected, actual) in enumerate(zip(wanted, wanted.values(), got.values(), strict=True)):
        if expected.shape != actual.shape:
            return SideComparison(
                name, side, (), f"{output} has the shape {list(actual.shape)} instead of {list(expected.shape)}"
            )
        if expected.dtype.kind != actual.dtype.kind or (
            side in {"eager", "ordinary"} and expected.dtype != actual.dtype
        ):
            return SideComparison(name, side, (), f"{output} is {actual.dtype} instead of {expected.dtype}")
        level = ideal[index] if ideal is not None and index < len(ideal) else None
        figures.append(accuracy(output, expected, actual, ideal_fp16_sqnr_db=level))
    return SideComparison(name, side, tuple(figures))
