"""What was measured of a PyTorch operator on this chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipc.ops import data as data_file
from aipc.ops.matrix import operators, require_column, variants
from aipc.qairt.soc import get_soc

from ._tool import AgentTool, Context, shortened, tool

_MOST = 40


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    data = data_file.load()
    soc = get_soc(context.bench.request.soc)
    column = require_column(data, soc)
    variants_of_name = variants(data, operators(data, arguments["name"]))
    lines = []
    for item in variants_of_name[:_MOST]:
        measured = item.measured.get(column)
        if measured is None:
            continue
        attributes = ", ".join(f"{name}={value}" for name, value in item.attributes.items())
        label = f" {item.label}" if item.label else ""
        lines.append(f"{', '.join(item.operators[:2])} {' '.join(item.inputs)} {attributes}{label}: {measured.verdict}")
    return shortened("\n".join(lines) or "nothing was measured of it")


TOOL = AgentTool(
    tool(
        "operators",
        "Measured: whether a PyTorch operator runs on this chip, by its variants. Patterns such as *cat* are allowed.",
        {"name": {"type": "string", "description": "For example torch.nn.functional.pad, einsum or *where*."}},
        ("name",),
    ),
    _run,
)
