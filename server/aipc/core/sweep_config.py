"""``[tool.aipc.sweep]``: which models are deployed for which chips in which precisions by ``aipc sweep``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigError
from .option import Option, description, option

SKIP_KEYS = ("model", "soc", "precision")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepConfig:
    """The table ``[tool.aipc.sweep]``. Empty ``socs`` and ``precisions`` stand for each model's own."""

    models: tuple[str, ...] = option(
        Option(help='names of configured models, or patterns such as `"vit*"`; all of them by default'), ("*",)
    )
    socs: tuple[str, ...] = option(Option(help="chips; each model's own by default"), ())
    precisions: tuple[str, ...] = option(Option(help="precisions; each model's own by default"), ())
    skip: tuple[Mapping[str, str], ...] = option(
        Option(help='combinations to leave out, such as `[{ model = "vit*", precision = "w8a8" }]`, with patterns'), ()
    )
    """A cell is left out where every pattern of one of these fits."""
    cell_seconds: float | None = option(Option(help="seconds that one deployment may take; no limit by default"), None)
    keep_packages: bool = option(Option(help="`false`: the packages are not kept, only their reports"), True)
    thorough: bool = option(Option(help="`true` runs every probe, as `aipc deploy --thorough`"), False)


_TYPES: Mapping[str, tuple[type, ...]] = {"cell_seconds": (int, float), "keep_packages": (bool,), "thorough": (bool,)}
"""Key -> types in TOML, of those that are no list."""


def parse_sweep(path: Path, table: Any) -> SweepConfig:
    """Check the table. Raises ConfigError naming the first thing that is wrong."""
    where = f"[tool.aipc.sweep] in {path}"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is not a table", remedy='write [tool.aipc.sweep] and, below it, socs = ["sm8650"]')
    keys = description(SweepConfig)
    for key, value in table.items():
        if key not in keys:
            raise ConfigError(f"{where} has the unknown key {key!r}", remedy=f"known are {', '.join(keys)}")
        kinds = _TYPES.get(key, (list,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ConfigError(f"{key} of {where} has the wrong type", remedy=f"{key} is {keys[key].help}")
    for key in ("models", "socs", "precisions"):
        if any(not isinstance(item, str) for item in table.get(key, [])):
            raise ConfigError(f"{key} of {where} is not a list of strings", remedy=f"{key} is {keys[key].help}")
    if table.get("cell_seconds", 1) <= 0:
        raise ConfigError(f"cell_seconds of {where} is not positive", remedy="for example 600")
    for item in table.get("skip", []):
        if not isinstance(item, dict) or not item or any(key not in SKIP_KEYS for key in item):
            raise ConfigError(f"skip of {where} has {item!r}", remedy=f"give {', '.join(SKIP_KEYS)} with patterns")
        if any(not isinstance(value, str) for value in item.values()):
            raise ConfigError(f"skip of {where} has {item!r}", remedy="put the patterns in quotes")
    lists = {key: tuple(table[key]) for key in ("models", "socs", "precisions", "skip") if key in table}
    return SweepConfig(**{**table, **lists})
