"""``ops``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool


def _run(call: Call) -> Any:
    return engine.operator_document(call.get("name"), call.get("socs", ()), call.get("archs", ()))


_LIST = {"type": "array", "items": {"type": "string"}}

TOOL = Tool(
    name="ops",
    title="Look up operators",
    description="What a PyTorch operator does on each Snapdragon NPU, variant by variant, as measured with Qualcomm's "
    "compiler and simulator: runs, wrong numbers, on the CPU, fails; with the compiler's reason. Look here before "
    "writing a layer.",
    run=_run,
    properties={
        "name": {
            "type": "string",
            "description": "Name such as grid_sample, nn.Conv2d or torch.einsum, or a pattern with *. None: a summary.",
        },
        "socs": {**_LIST, "description": "Chips, such as sm8650. Default: every measured one."},
        "archs": {**_LIST, "description": "HTP archs, such as v75."},
    },
)
