"""Jobs on packages, each run in a worker process of its own: compile, run.

Arrays cross the process border as ``.npz`` files, keyed by tensor name; everything else is plain and small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from aipc.core.types import Event
from aipc.numerics.npz import read_npz, write_npz

from .compile import compile_context
from .compile_results import Compiled, SimulatedRun
from .simulate import run_context, run_samples

Report = Callable[[Event], None]


def compile(report: Report, *, model: str, soc: str, out: str, allow_cpu: bool = True) -> Compiled:
    """Compile the ONNX file ``model`` for ``soc`` into ``out`` (see ``compile.compile_context``)."""
    report(Event("compile", f"compiling {Path(model).name} for {soc}"))
    return compile_context(model, soc, out, allow_cpu=allow_cpu)


def run(report: Report, *, package_model: str, inputs_npz: str, out_npz: str, soc: str) -> SimulatedRun:
    """Run the EPContext model ``package_model`` on the simulator and write its outputs to ``out_npz``."""
    inputs = read_npz(inputs_npz)
    report(Event("run", f"running on the {soc} simulator"))
    execution = run_context(package_model, inputs, soc)
    write_npz(out_npz, execution.outputs)
    return SimulatedRun(
        outputs=tuple(execution.outputs),
        out_npz=out_npz,
        host_load_seconds=execution.host_load_seconds,
        host_run_seconds=execution.host_run_seconds,
    )


def run_all(report: Report, *, package_model: str, samples: Sequence[tuple[str, str]], soc: str) -> int:
    """The same for several samples with one session: pairs of an inputs' and an outputs' ``.npz``; how many."""
    inputs_of_samples = (read_npz(inputs) for inputs, _ in samples)
    for number, execution in enumerate(run_samples(package_model, inputs_of_samples, soc)):
        report(Event("run", f"ran sample {number + 1} of {len(samples)} on the {soc} simulator"))
        write_npz(samples[number][1], execution.outputs)
    return len(samples)
