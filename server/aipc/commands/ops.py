"""``aipc ops``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aipc.core.errors import InputError

from ._console import show, write_json
from ._options import Debug, Json
from ._work import working

_FILE_HELP = "Data file to read, or with --probe to write. Default: the one of the installed QAIRT."


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Operator: its name (grid_sample, nn.Conv2d, torch.einsum) or a pattern with *. None: a summary.",
            show_default=False,
        ),
    ] = None,
    soc: Annotated[list[str] | None, typer.Option("--soc", help="Chip, such as sm8650. Default: every arch.")] = None,
    arch: Annotated[
        list[str] | None, typer.Option("--arch", help="HTP arch, such as v75. Default: every arch.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="FILE", help=_FILE_HELP)] = None,
    probe: Annotated[bool, typer.Option("--probe", help="Measure the operators with the installed QAIRT.")] = False,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Measure what does not run once more, rewritten as deploy does it.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="With --probe and --rewrite: measure again what was already.")
    ] = False,
    recheck: Annotated[
        str | None, typer.Option("--recheck", metavar="PERCENT", help="Measure a random sample again, such as 5%.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="With --recheck: the same sample again.")] = None,
    diff: Annotated[
        tuple[Path, Path] | None, typer.Option("--diff", metavar="A B", help="Compare two data files.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """Say what a PyTorch operator does on the NPU in each of its variants, as the installed QAIRT was measured.

    The exit status is 1 when --diff finds a difference or --recheck a verdict that is not the same.
    """
    if sum((name is not None, probe, rewrite, recheck is not None, diff is not None)) > 1:
        raise typer.BadParameter("NAME, --probe, --rewrite, --recheck and --diff exclude each other")
    if diff:
        return _diff(*diff, as_json=as_json)
    socs, archs = soc or [], arch or []
    if probe:
        return _probe(socs, archs, fresh, data, as_json=as_json)
    if rewrite:
        return _rewrite(socs, archs, fresh, data, as_json=as_json)
    if recheck is not None:
        return _recheck(_percent(recheck), socs, archs, seed, data, as_json=as_json)
    return _look_up(name, socs, archs, data, as_json=as_json)


def _probe(socs: list[str], archs: list[str], fresh: bool, path: Path | None, *, as_json: bool) -> int:
    from aipc import engine

    from ._operators import filled_page

    with working() as work:
        filled = engine.probe_operators(archs, socs, fresh, path, work.pool, work.on_event, work.cancel)
    write_json(filled) if as_json else show(*filled_page(filled))
    return 0


def _rewrite(socs: list[str], archs: list[str], fresh: bool, path: Path | None, *, as_json: bool) -> int:
    from aipc import engine

    from ._operators import shares_table

    with working() as work:
        results = engine.rewrite_operators(archs, socs, fresh, path, work.pool, work.on_event, work.cancel)
    write_json({"shares": results}) if as_json else show(shares_table(results))
    return 0


def _recheck(
    percent: float, socs: list[str], archs: list[str], seed: int | None, path: Path | None, *, as_json: bool
) -> int:
    from aipc import engine

    from ._operators import recheck_document, recheck_page

    with working() as work:
        rechecked = engine.recheck_operators(percent, archs, socs, seed, path, work.pool, work.on_event, work.cancel)
    write_json(recheck_document(rechecked)) if as_json else show(*recheck_page(rechecked))
    return 1 if rechecked.changes else 0


def _look_up(name: str | None, socs: list[str], archs: list[str], path: Path | None, *, as_json: bool) -> int:
    from aipc.engine import operator_document

    if as_json:
        write_json(operator_document(name, socs, archs, path))
        return 0
    from aipc.ops import matrix
    from aipc.ops.data import load
    from aipc.ops.run import chips
    from aipc.qairt.soc import get_soc

    from ._operators import lookup_page, summary_page

    data = load(path)
    if name is None:
        show(*summary_page(data))
        return 0
    chosen_socs = [get_soc(part) for part in chips(archs, socs)] if archs or socs else []
    columns = {matrix.require_column(data, item): item for item in chosen_socs} or dict.fromkeys(data.socs)
    names = matrix.operators(data, name)
    variants = matrix.variants(data, names)
    show(*lookup_page(data, names, variants, columns))
    return 0


def _diff(before: Path, after: Path, *, as_json: bool) -> int:
    from aipc.ops.run import compare

    from ._operators import diff_document, diff_page

    changes = compare(before, after)
    write_json(diff_document(changes)) if as_json else show(*diff_page(changes))
    return 1 if changes else 0


def _percent(text: str) -> float:
    try:
        return float(text.rstrip("% "))
    except ValueError:
        raise InputError(f"{text} is not a percentage", remedy="write it like 5%") from None
