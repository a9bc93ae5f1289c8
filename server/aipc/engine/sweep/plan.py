"""The cells of a sweep, from the table in the configuration."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from aipc.core.config import PRECISIONS, Config
from aipc.core.errors import InputError
from aipc.core.sweep_config import SweepConfig
from aipc.core.sweeps import Cell, CellResult, CellState
from aipc.pipeline.effective import in_effect
from aipc.qairt.soc import get_soc


def cells_of(config: Config, table: SweepConfig) -> tuple[Cell, ...]:
    """Every cell once: the models in the order of the table's patterns, then the chips, then the precisions.

    Raises:
        InputError: a pattern names no model, a precision is unknown, or nothing is left.
        UnknownSoCError: there is no such chip.
    """
    if unknown := [name for name in table.precisions if name not in PRECISIONS]:
        raise InputError(f"there is no precision called {unknown[0]!r}", remedy=f"use one of {', '.join(PRECISIONS)}")
    cells: dict[Cell, None] = {}
    socs: tuple[str | None, ...] = table.socs or (None,)
    precisions: tuple[str | None, ...] = table.precisions or (None,)
    for name in _models(config, table.models):
        for soc in socs:
            for precision in precisions:
                chosen = in_effect(config, config.models[name], soc=soc, precision=precision)
                cell = Cell(model=name, soc=chosen.soc.value, precision=chosen.precision.value)
                if not _is_skipped(cell, table):
                    cells[cell] = None
    if not cells:
        raise InputError("the sweep has no cells", remedy="configure models, or skip less in [tool.aipc.sweep]")
    return tuple(cells)


def selected(cells: Sequence[Cell], patterns: Sequence[str]) -> tuple[Cell, ...]:
    """The cells of the models that the patterns name; all without patterns. Raises InputError where there is none."""
    chosen = tuple(cell for cell in cells if not patterns or any(fnmatchcase(cell.model, item) for item in patterns))
    if not chosen:
        raise InputError(
            f"the sweep has no model {', '.join(patterns)}", remedy="see its result.json, or start another"
        )
    return chosen


def not_applicable(cell: Cell) -> CellResult | None:
    """The result of a cell that no deployment can have: fp16 on a chip whose NPU has none."""
    if cell.precision == "fp16" and get_soc(cell.soc).fp16 == "no":
        message = f"the NPU of {cell.soc} has no fp16"
        return CellResult(cell=cell, state=CellState.NOT_APPLICABLE, message=message)
    return None


def narrowed(
    table: SweepConfig, models: Sequence[str] = (), socs: Sequence[str] = (), precisions: Sequence[str] = ()
) -> SweepConfig:
    """The table with what a request names instead of the configuration."""
    return replace(
        table,
        models=tuple(models) or table.models,
        socs=tuple(socs) or table.socs,
        precisions=tuple(precisions) or table.precisions,
    )


def _models(config: Config, patterns: Sequence[str]) -> tuple[str, ...]:
    models: dict[str, None] = {}
    for pattern in patterns:
        fitting = [name for name in config.models if name == pattern or fnmatchcase(name, pattern)]
        if not fitting:
            near = ", ".join(difflib.get_close_matches(pattern, config.models, 3) or config.models) or "none yet"
            raise InputError(
                f"no model in {config.root / 'pyproject.toml'} is called {pattern!r}",
                remedy=f"configured models: {near}",
            )
        models.update(dict.fromkeys(fitting))
    return tuple(models)


def _is_skipped(cell: Cell, table: SweepConfig) -> bool:
    return any(all(fnmatchcase(getattr(cell, key), pattern) for key, pattern in item.items()) for item in table.skip)
