"""What is known while a function is followed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from aipc.source.blocks import Block

from .values import Value


@dataclass(slots=True)
class CallFrame:
    """One function as it runs."""

    block: Block
    names: dict[str, Value]
    closure: Mapping[str, Value] = field(default_factory=dict)
    node: ast.AST | None = None
    owner: str = ""
    """The class whose method this is."""
    results: list[Value] = field(default_factory=list)
    local: set[str] = field(default_factory=set)
