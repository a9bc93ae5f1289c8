"""Jobs that run the author's code, for the worker pool."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from aipc.core.config import ModelRef
from aipc.core.errors import AipcError, InputError, MissingDependencyError
from aipc.core.types import Event, OutputAccuracy

from .arguments import OF_THE_CALL, Inputs
from .artifact import write_capture
from .capture_result import CaptureResult, InferredInputs
from .checkpoint_folder import own_files
from .detect_quantization import own_bits
from .export import OPSET, export
from .failures import findings_of
from .files import recorded_files
from .inputs import example_inputs
from .interface import CallOutput, register_containers
from .load import LoadedModel, innermost_user_range, load_model
from .model_with_inputs import with_configured_state
from .state import call_and_watch, state_names
from .widths import lowered_nodes

Report = Callable[[Event], None]
_WIDENED = (
    "AIPC reads weights of 16 bits as float32: leave the conversion of inputs to 16 bits out of forward, or convert "
    "the model with .float()"
)


def capture(
    report: Report, *, ref: ModelRef, out: str, opset: int | None = None, strategy: str = "one-trace"
) -> CaptureResult:
    """Capture ``ref`` into the directory ``out``; an export failure is a result with findings, not an exception."""
    directory = Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    result = _captured(report, ref, directory, opset or OPSET, strategy)
    return replace(result, own_bits=own_bits(directory / "model.onnx")) if result.ok else result


def _captured(report: Report, ref: ModelRef, directory: Path, opset: int, strategy: str) -> CaptureResult:
    if ref.kind == "captured":
        from .capture_on_disk import take_over

        return take_over(ref, directory)
    if not ref.runs_pytorch:
        from .graphs import capture_graph

        return capture_graph(report, ref=ref, directory=directory, opset=opset)
    with recorded_files(*own_files(ref.path)) as files:
        report(Event("capture", f"loading {ref.name}"))
        started = time.perf_counter()
        loaded = load_model(ref)
        seconds = time.perf_counter() - started
        result = capture_loaded(report, loaded, directory, strategy=strategy, opset=opset)
    return replace(result, files=files.hashes(), timings={"load": seconds, **result.timings})


def capture_loaded(
    report: Report,
    loaded: LoadedModel,
    directory: Path,
    inputs: Inputs | None = None,
    *,
    strategy: str = "one-trace",
    opset: int = OPSET,
) -> CaptureResult:
    """Capture a model that is loaded into ``directory``; its ``files`` are the caller's to say.

    Raises:
        InputError: there are no example inputs, or forward raises on them.
    """
    timings: dict[str, float] = {}
    report(Event("capture", "finding example inputs"))
    started = time.perf_counter()
    loaded, inputs = with_configured_state(loaded, inputs or example_inputs(loaded))
    register_containers((inputs.args, dict(inputs.kwargs)))
    answer, state = forward(loaded, inputs)
    timings["forward"] = time.perf_counter() - started
    report(Event("capture", "tracing"))
    started = time.perf_counter()
    try:
        exported = export(
            loaded.module,
            inputs.args,
            inputs.kwargs,
            loaded.constructions,
            changed=answer.changed,
            state=state,
            strategy=strategy,
            opset=opset,
        )
    except MissingDependencyError:
        raise
    except Exception as error:
        return CaptureResult(
            False,
            (),
            (),
            0,
            findings_of(error, loaded.ref.path, loaded),
            {},
            inputs.provenance,
            strategy,
            timings,
            f"{type(error).__name__}: {error}"[:4000],
        )
    timings["export"] = time.perf_counter() - started
    started = time.perf_counter()
    specs = write_capture(exported, loaded.module, inputs, answer, directory)
    timings["write"] = time.perf_counter() - started
    nodes = len(exported.source_map.nodes)
    names = state_names(loaded.module, answer)
    lowered = lowered_nodes(exported.model.graph)
    return CaptureResult(
        True, *specs, nodes, (), {}, inputs.provenance, exported.strategy, timings, state=names, lowered=lowered
    )


def forward(loaded: LoadedModel, inputs: Inputs) -> tuple[CallOutput, tuple[str, ...]]:
    """PyTorch's own answer in fp32, and the paths of the tensors that every call changes in the module.

    Also settles modules that build something at their first call.
    """
    try:
        answer, state = call_and_watch(loaded.module, inputs)
        if not answer.tensors:
            raise InputError(
                f"forward of {loaded.ref.name} returned no tensor, so there is nothing to deploy",
                remedy="return what it computes",
            )
        return answer, state
    except AipcError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise InputError(
            f"forward raised {type(error).__name__} on the example inputs ({inputs.provenance}): "
            f"{lines[0] if lines else 'no message'}",
            remedy=_WIDENED if loaded.widened else _correct(inputs),
            range=innermost_user_range(error),
        ) from error


def _correct(inputs: Inputs) -> str:
    if inputs.provenance != OF_THE_CALL:
        return "correct the inputs in the configuration, or the model"
    if inputs.args and all(isinstance(item, (int, float)) for item in inputs.args):
        return 'example_inputs are numbers: give tensors; a shape is a text such as "float32[1,3,224,224]"'
    return "correct example_inputs, or the model"


def infer(report: Report, *, ref: ModelRef) -> InferredInputs:
    """What example inputs would be used for ``ref``, and why."""
    loaded = load_model(ref)
    inputs = example_inputs(loaded)
    return InferredInputs(inputs.shapes(loaded.module), inputs.provenance)


def verify_capture(report: Report, *, directory: str) -> tuple[OutputAccuracy, ...]:
    """The captured graph on onnxruntime's CPU provider against PyTorch, both in fp32."""
    from aipc.numerics.cpu import run_cpu
    from aipc.numerics.metrics import compare_outputs

    folder = Path(directory)
    with np.load(folder / "inputs.npz") as inputs, np.load(folder / "reference.npz") as reference:
        report(Event("verify capture", "running the captured graph on the CPU"))
        actual = run_cpu(folder / "model.onnx", dict(inputs))
        return compare_outputs(dict(reference), actual)
