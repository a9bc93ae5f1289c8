"""What confined code tried before it failed: kept in the detail of the error."""

from __future__ import annotations

import json

from aipc.core.errors import AipcError


def tried_by(error: AipcError) -> list[str]:
    """Names of what was refused; nothing for an error of another origin."""
    try:
        items = json.loads(error.detail or "[]")
    except ValueError:
        return []
    return (
        [item["tried"] for item in items if isinstance(item, dict) and "tried" in item]
        if isinstance(items, list)
        else []
    )
