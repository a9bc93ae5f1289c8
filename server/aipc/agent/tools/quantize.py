"""Quantize the model, with or without edits: where its nodes run in integers, and how far its numbers are off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aipc.agent.bench import Checked
from aipc.core.accuracy import NodeAccuracy
from aipc.core.errors import QairtError
from aipc.core.types import Placement
from aipc.debug import worker_jobs as debug_jobs
from aipc.pipeline.gates import sqnr_threshold
from aipc.quantize.plan import UNIFORM

from ._tool import EDITS, AgentTool, Context, WrongCall, edits_of, finding_text, patched, shortened, tool

_WORST = 5


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    precision = arguments.get("precision", UNIFORM[0])
    if precision not in UNIFORM:
        raise WrongCall(f"precision is one of {', '.join(UNIFORM)}")
    scratch = patched(context, edits_of(arguments["edits"])) if "edits" in arguments else context.scratch
    checked = context.bench.check(scratch, precision)
    if checked.tried:
        return f"the code tried what the sandbox forbids: {', '.join(checked.tried)}"
    if checked.error is not None or checked.run is None or checked.run.quantized is None:
        return f"it cannot be quantized: {checked.error or checked.reason}"
    lines = [*_placed(context, checked), *_numbers(context, checked), *_blamed(context, checked)]
    return shortened("\n".join([*lines, *(finding_text(item, scratch) for item in checked.serious)]))


def _placed(context: Context, checked: Checked) -> Iterator[str]:
    assert checked.run is not None and checked.placement is not None
    quantized, samples = checked.run.quantized, context.bench.samples(checked.run)
    assert quantized is not None and quantized.result is not None
    result, request = quantized.result, checked.run.request
    counts = result.counts
    yield f"{request.precision} for {request.soc}, ranges from {samples.description}"
    yield f"{counts['quantized']} of {counts['total']} nodes in integers, {checked.off} off the NPU"
    for node in checked.placement.nodes:
        if node.placement is not Placement.NPU:
            yield f"{node.node} ({node.op_type}) {node.placement.value}: {node.reason or 'no reason given'}"
    yield from result.notes


def _numbers(context: Context, checked: Checked) -> Iterator[str]:
    """On the simulator, against what the original answers in fp32."""
    bench = context.bench
    if bench.unreferenced:
        yield f"its numbers are not comparable: {bench.unreferenced}"
        return
    compiled = bench.compiled(checked)
    if not compiled.is_compiled:
        yield f"it does not compile: {compiled.error or compiled.reason}"
        return
    wanted = bench.request.tolerance.get("sqnr_db", sqnr_threshold(compiled.plan))
    for one in bench.simulate(compiled):
        figures = "; ".join(f"{x.name} SQNR {x.sqnr_db:.1f} dB, max error {x.max_abs:.3g}" for x in one.outputs)
        yield f"on {one.set} inputs: {one.reason or figures}; wanted {wanted:g} dB"


def _blamed(context: Context, checked: Checked) -> Iterator[str]:
    """The nodes whose integers cost the model most."""
    assert checked.run is not None
    run = checked.run
    try:
        accuracy: NodeAccuracy = run.job(
            debug_jobs.NODE_ACCURACY,
            model=str(run.float_graph.graph),
            inputs_npz=str(context.bench.samples(run).held_out[0]),
            soc=run.request.soc,
            quantized=str(run.deployed_graph.graph),
        )
    except QairtError as error:
        yield f"its nodes cannot be judged one by one: {error}"
        return
    for name, item in accuracy.worst(_WORST):
        effect = f"{item.effect_sqnr_db:.1f} dB at the outputs if it were the only one"
        yield f"node {name} ({item.op_type or 'fused group'}): {effect}, {100 * item.share:.0f} % of the noise"


TOOL = AgentTool(
    tool(
        "quantize",
        "Quantize the model with your accepted changes, and edits if given, without proposing them: which nodes run in "
        "integers on the NPU, the error on the simulator, and which nodes cause it.",
        {
            "precision": {"type": "string", "description": f"{', '.join(UNIFORM)}; {UNIFORM[0]} by default."},
            "edits": EDITS,
        },
    ),
    _run,
)
