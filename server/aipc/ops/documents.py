"""What was measured of operators, as JSON documents. Light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aipc.core.plain_data import to_plain

from .coverage_after_rewrites import shares
from .data import Data, MeasuredVariant
from .measurements import Measured
from .run import verdict_counts


def lookup_document(
    data: Data, names: Sequence[str], variants: Sequence[MeasuredVariant], columns: Sequence[str]
) -> dict[str, Any]:
    return {
        "operators": list(names),
        "qairt": data.qairt,
        "precision": data.precision,
        "socs": {part: data.socs[part] for part in columns},
        "variants": [
            {
                **{key: value for key, value in to_plain(variant).items() if key != "measured"},
                "measured": {
                    part: measured_document(variant.measured[part]) for part in columns if part in variant.measured
                },
            }
            for variant in variants
        ],
    }


def summary_document(data: Data) -> dict[str, Any]:
    return {
        "qairt": data.qairt,
        "precision": data.precision,
        "versions": data.versions,
        "socs": data.socs,
        "operators": list(data.operators),
        "variants": len(data.variants),
        "verdicts": verdict_counts(data),
        "shares": to_plain(list(shares(data))),
        "coverage": {
            "registry": len(data.coverage.registry),
            "covered": len(data.coverage.covered),
            "gaps": data.coverage.gaps,
        },
    }


def measured_document(measured: Measured) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(measured)
    plain.pop("seconds")
    return plain
