"""Where packages can run."""

from __future__ import annotations

from aipc.targets import Description, all_targets


def targets() -> tuple[Description, ...]:
    """Every place where a package can run, with the reason where it cannot."""
    return tuple(item for target in all_targets() for item in target.discover())
