"""Values in an exported program that no input reaches: computed when they are asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch.export.exported_program import ExportedProgram

_LARGEST = 1 << 24
"""Elements. What is larger is not computed: nobody asks for the values of weights."""


class KnownValues:
    """The value of each node that follows from constants, parameters and buffers alone."""

    def __init__(self, program: ExportedProgram) -> None:
        signature = program.graph_signature
        self._constants: dict[str, Any] = {
            **{name: program.state_dict.get(key) for name, key in signature.inputs_to_parameters.items()},
            **{
                name: program.state_dict.get(key, program.constants.get(key))
                for name, key in signature.inputs_to_buffers.items()
            },
            **{name: program.constants.get(key) for name, key in signature.inputs_to_lifted_tensor_constants.items()},
        }
        self._values: dict[torch.fx.Node, torch.Tensor | None] = {}

    def of(self, node: torch.fx.Node) -> torch.Tensor | None:
        """The value of ``node``, or None where inputs reach it, where it is no tensor, or where it is too large."""
        pending = [node]
        while pending:
            current = pending[-1]
            missing = [item for item in current.all_input_nodes if item not in self._values]
            if current in self._values or not missing:
                if current not in self._values:
                    self._values[current] = self._compute(current)
                pending.pop()
            else:
                pending += missing
        return self._values[node]

    def _compute(self, node: torch.fx.Node) -> torch.Tensor | None:
        if node.op == "placeholder":
            value = self._constants.get(node.name)
            return value if isinstance(value, torch.Tensor) else None
        if not isinstance(node.target, torch._ops.OpOverload) or any(
            self._values[item] is None for item in node.all_input_nodes
        ):
            return None
        tensor = node.meta.get("val")
        if not isinstance(tensor, torch.Tensor) or tensor.numel() > _LARGEST:
            return None
        if torch.Tag.nondeterministic_seeded in node.target.tags:
            return None
        args, kwargs = torch.fx.node.map_arg((node.args, node.kwargs), lambda item: self._values[item])
        try:
            with torch.no_grad():
                value = node.target(*args, **kwargs)
        except Exception:
            return None
        return value if isinstance(value, torch.Tensor) else None
