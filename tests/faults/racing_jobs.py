"""What the races let workers do."""

from __future__ import annotations

from typing import Any


def double(report: Any, *, value: int) -> int:
    return 2 * value
