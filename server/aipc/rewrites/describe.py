"""The rewrite rules as plain data, for those who must not import what the rules are built with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aipc.core.types import Event

from .rules import all_rules


def describe(report: Callable[[Event], None]) -> list[dict[str, Any]]:
    """Every rule: its code, what it does, from which operators it starts, and PyTorch before and after."""
    return [
        {
            "code": rule.code,
            "title": rule.title,
            "ops": list(rule.ops),
            "trigger": rule.trigger.value,
            "exactness": rule.exactness.value,
            "answers": list(rule.answers),
            "edits_source": rule.source_edit is not None,
            "before": rule.before.model.strip(),
            "after": rule.after.strip(),
        }
        for rule in all_rules()
    ]
