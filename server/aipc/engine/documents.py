"""Answers that are JSON documents of their own: what was measured of operators, and where packages can run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aipc.ops import matrix
from aipc.ops.data import load
from aipc.ops.documents import lookup_document, summary_document
from aipc.ops.run import chips
from aipc.qairt.soc import all_socs, get_soc

from .target_devices import targets


def operator_document(
    name: str | None = None, socs: Sequence[str] = (), archs: Sequence[str] = (), data: Path | None = None
) -> dict[str, Any]:
    """What ``aipc ops NAME --json`` prints; without a name, the summary of the whole matrix.

    Raises:
        InputError: the operator was not measured, or nothing measured speaks for a chip.
    """
    matrix_data = load(data)
    if name is None:
        return summary_document(matrix_data)
    chosen_socs = [get_soc(part) for part in chips(archs, socs)] if archs or socs else []
    columns = dict.fromkeys(matrix.require_column(matrix_data, item) for item in chosen_socs) or matrix_data.socs
    names = matrix.operators(matrix_data, name)
    return lookup_document(matrix_data, names, matrix.variants(matrix_data, names), list(columns))


def targets_document(cwd: Path | None = None) -> dict[str, Any]:
    """What ``aipc targets --json`` prints: the targets of the configuration of ``cwd`` as well."""
    return {"targets": targets([cwd] if cwd else None), "socs": all_socs()}
